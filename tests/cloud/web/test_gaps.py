"""When what is missing is a gap. Pure."""

from croody.monitor.entry import Delivery
from croody.monitor.gaps import Gaps

WHOLE, SOME, LESS = Delivery(9, 9), Delivery(7, 9, 2, 1), Delivery(8, 9, 1, 1)


def test_what_overtook_another_is_on_its_way_for_five_seconds_and_then_a_gap():
    gaps = Gaps()
    assert [gaps.sign("r", told, at) for at, told in ((0, WHOLE), (1, SOME), (5.9, SOME), (6, SOME))] == ["", "young", "young", "gap"]


def test_a_gap_that_shrinks_is_being_filled():
    gaps = Gaps()
    assert [gaps.sign("r", told, at) for at, told in ((0, SOME), (10, SOME), (20, LESS), (34, LESS), (35, LESS), (36, WHOLE))] == [
        "gap",
        "gap",
        "refill",
        "refill",
        "gap",
        "",
    ]


def test_what_was_dropped_is_no_gap():
    assert Gaps().sign("r", Delivery(8, 9, 0, 0, 1), 0) == "gone"


def test_who_is_not_looked_at_is_forgotten():
    gaps = Gaps()
    gaps.sign("r", WHOLE, 0)
    gaps.forget(61)
    assert gaps.sign("r", SOME, 61) == "gap"
