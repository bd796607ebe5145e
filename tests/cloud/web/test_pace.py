"""How long a feed waits between two reads. One that was held up once must not hold up every listener after it."""

import pytest

from croody.live.hub import Pace

PERIOD_S = 0.15


def _paused(*reads: tuple[float, float]) -> float:
    pace = Pace(PERIOD_S)
    return [pace.pause_s(read_s, sent_s) for read_s, sent_s in reads][-1]


def test_a_quick_round_begins_once_a_period():
    assert _paused((0.01, 0.02)) == pytest.approx(PERIOD_S - 0.03)


def test_one_read_that_was_held_up_does_not_delay_the_next():
    assert _paused((0.01, 0.0), (0.24, 0.0)) <= PERIOD_S


def test_the_first_read_may_take_its_time():
    assert _paused((0.24, 0.0)) <= PERIOD_S


def test_a_database_that_stays_slow_is_asked_a_fifth_of_the_time():
    assert _paused((0.24, 0.0), (0.3, 0.0)) == pytest.approx(4 * 0.24)


def test_a_process_that_sends_long_keeps_half_of_its_time_for_everything_else():
    assert _paused((0.01, 0.4)) == pytest.approx(0.4)


def test_who_is_behind_reads_again_at_once():
    assert Pace(PERIOD_S).pause_s(0.24, 0.0, behind=True) < PERIOD_S / 5
