"""The order of streams, whatever the order in which they are heard of."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from croody.telemetry.ingest.stream_order import arrange, spread


def tell(*heads: tuple[str, str | None, bool]) -> list[str]:
    order: list[str] = []
    prev_of: dict[str, str | None] = {}
    for stream, prev, historical in heads:
        order = arrange(order, prev_of, stream, prev, historical=historical)
        prev_of[stream] = prev
    return order


def test_a_stream_that_speaks_live_is_the_newest():
    assert tell(("a", None, False), ("b", "a", False), ("x", None, False)) == ["a", "b", "x"]


def test_the_stream_before_has_its_place_as_soon_as_it_is_named():
    assert tell(("c", "b", False)) == ["b", "c"]


def test_backlog_goes_between_what_is_known_and_what_is_live():
    assert tell(("a", None, False), ("d", "c", False), ("b", "a", True)) == ["a", "b", "c", "d"]


def test_backlog_without_any_known_relation_goes_before_what_is_live_now():
    assert tell(("d", "c", False), ("a", None, True)) == ["a", "c", "d"]


def test_a_card_that_was_put_back_is_the_newest_when_it_speaks_live():
    assert tell(("a", None, False), ("x", None, False), ("b", "a", False)) == ["a", "x", "b"]


def test_a_stream_that_was_met_in_the_past_moves_last_when_it_speaks_live():
    assert tell(("a", None, False), ("x", None, True), ("x", None, False)) == ["a", "x"]


def test_two_copies_that_name_the_same_stream_both_come_after_it():
    order = tell(("a", None, False), ("b", "a", False), ("c", "a", False))
    assert order == ["a", "b", "c"]


def test_streams_that_name_each_other_in_a_ring_end_nowhere_worse():
    assert sorted(tell(("a", "b", True), ("b", "a", True), ("a", "a", False))) == ["a", "b"]


@given(st.permutations(range(7)))
def test_a_chain_is_in_order_however_its_streams_arrive(arrivals: list[int]):
    heads = [(f"s{number}", f"s{number - 1}" if number else None, number != 6) for number in arrivals]
    order = tell(("other", None, False), *heads)
    assert [name for name in order if name != "other"] == [f"s{number}" for number in range(7)]
    assert order[-1] == "s6"


@given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.one_of(st.none(), st.sampled_from("abcdefg")), st.booleans()), max_size=20))
def test_every_stream_comes_after_the_one_it_named_unless_they_form_a_ring(heads: list[tuple[str, str | None, bool]]):
    order: list[str] = []
    prev_of: dict[str, str | None] = {}
    for stream, prev, historical in heads:
        prev = prev_of.get(stream) or prev
        ring, seen = prev, set()
        while ring is not None and ring not in seen:
            seen.add(ring)
            ring = prev_of.get(ring)
        if stream in seen:
            continue
        order = arrange(order, prev_of, stream, prev, historical=historical)
        prev_of[stream] = prev
        assert len(set(order)) == len(order)
    for stream, prev in prev_of.items():
        if prev is not None:
            assert order.index(prev) < order.index(stream)


@given(st.lists(st.integers(0, 30), unique=True), st.dictionaries(st.integers(0, 30), st.integers(-9, 9), max_size=12))
def test_places_rise_along_the_order_and_those_that_rise_already_are_kept(order: list[int], known: dict[int, int]):
    names = [str(number) for number in order]
    places = spread(names, {str(number): float(place) for number, place in known.items() if number in order})
    assert list(places) == names
    assert sorted(places.values()) == list(places.values())
    assert len(set(places.values())) == len(names)
    had = [(name, float(known[int(name)])) for name in names if int(name) in known]
    if all(before[1] < after[1] for before, after in pairwise(had)):
        assert all(places[name] == place for name, place in had)


def test_a_new_stream_leaves_the_places_of_all_others_alone():
    assert spread(["a", "d", "e"], {"a": 1.0, "d": 400.0}) == {"a": 1.0, "d": 400.0, "e": 401.0}
    assert spread(["a", "c", "d"], {"a": 1.0, "d": 400.0})["c"] == 200.5


def test_where_no_number_is_left_between_two_neighbours_all_are_numbered_anew():
    low, high = 1.0, 1.0000000000000002
    assert spread(["a", "b", "c"], {"a": low, "c": high}) == {"a": 1.0, "b": 2.0, "c": 3.0}
