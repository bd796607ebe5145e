"""What a robot says of itself, and whether an update may interrupt it."""

import pytest

from croody_edge.settings import BUSY_WHEN
from croody_edge.update_lock.busy import MOST, SILENT_S, Busy, conditions


def busy(written: str = BUSY_WHEN, rest_s: float = 30.0) -> Busy:
    return Busy(conditions(written), rest_s=rest_s)


def test_a_robot_of_which_nothing_is_known_may_be_updated() -> None:
    robot = busy()
    assert not robot.at(0.0)
    robot.saw({"battery_pct": 80.0}, 1.0)
    assert not robot.at(1.0)


def test_it_is_left_alone_while_it_moves_and_a_while_after_it_stopped() -> None:
    robot = busy()
    robot.saw({"speed_mps": 0.4}, 10.0)
    assert robot.at(10.0)
    robot.saw({"speed_mps": 0.0}, 20.0)
    assert robot.at(39.9)
    assert not robot.at(40.0)


def test_stopping_again_and_again_does_not_make_the_rest_longer() -> None:
    robot = busy()
    robot.saw({"speed_mps": 0.4}, 10.0)
    for at_s in range(11, 60):
        robot.saw({"speed_mps": 0.01}, float(at_s))
    assert not robot.at(41.0)


def test_a_moving_robot_that_falls_silent_is_left_alone_for_ten_minutes_and_not_for_ever() -> None:
    robot = busy()
    robot.saw({"speed_mps": 0.4}, 10.0)
    robot.saw({"battery_pct": 80.0}, 500.0)
    assert robot.at(10.0 + SILENT_S - 1)
    assert not robot.at(10.0 + SILENT_S)


def test_one_condition_is_enough_and_each_is_judged_by_its_own_metric() -> None:
    robot = busy()
    robot.saw({"mission_active": True}, 10.0)
    robot.saw({"speed_mps": 0.0}, 12.0)
    assert robot.at(100.0)
    robot.saw({"mission_active": False}, 101.0)
    assert not robot.at(101.0)


@pytest.mark.parametrize(
    ("written", "value", "holds"),
    [
        ("x>1", 1.5, True),
        ("x>1", 1, False),
        ("x>=1", 1, True),
        ("x<0", -1, True),
        ("x<=0", 1, False),
        ("x=1", True, True),
        ("x!=1", 2, True),
        ("x = on the way", "on the way", True),
        ("x=auto", "manual", False),
        ("x!=idle", "driving", True),
        ("x!=idle", "idle", False),
        ("x>1", "fast", False),
        ("x!=1", "fast", True),
        ("x=5", "5", False),
    ],
)
def test_a_number_is_compared_as_one_and_a_word_as_a_word(written: str, value: float | str, holds: bool) -> None:
    (condition,) = conditions(written)
    assert condition.holds(value) is holds


@pytest.mark.parametrize("written", ["speed", "speed>", ">1", "speed>fast", "a b>1", "x>>1", "x=1=2", "é=1", "x" * 65 + ">1"])
def test_a_condition_that_cannot_be_read_is_named_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match=r"speed_mps>0\.05"):
        conditions(f"battery_pct<5, {written}")


def test_there_are_so_many_conditions_and_no_more() -> None:
    assert len(conditions(",".join(f"m{n}>1" for n in range(MOST)))) == MOST
    with pytest.raises(ValueError, match=str(MOST)):
        conditions(",".join(f"m{n}>1" for n in range(MOST + 1)))
    assert conditions(" , ") == ()
