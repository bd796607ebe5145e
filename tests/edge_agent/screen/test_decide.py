"""What becomes of a scored window, purely; and how readings become what the model reads."""

from itertools import pairwise
from math import isfinite
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_contract import windows
from croody_edge.screen.card import log10_p
from croody_edge.screen.decide import START, Policy, Verdict, decide

POLICY = Policy(suspect_at=0.6, run=3, suspect_every_s=30.0, sample_rate=0.01)


def verdicts(scores: list[float], policy: Policy = POLICY, draw: float = 0.5) -> list[Verdict]:
    state, out = START, []
    for second, score in enumerate(scores):
        state, verdict = decide(state, policy, score, 1000.0 + second, draw)
        out.append(verdict)
    return out


def test_one_odd_window_is_chance_and_three_in_a_row_are_a_sign() -> None:
    assert not any(verdict.send for verdict in verdicts([0.1, 0.9, 0.9, 0.1, 0.9, 0.9, 0.1]))
    assert [verdict.suspect for verdict in verdicts([0.1, 0.9, 0.9, 0.9])] == [False, False, False, True]


def test_the_threshold_itself_is_odd() -> None:
    assert verdicts([0.6] * 3)[-1].suspect
    assert not verdicts([0.5999] * 3)[-1].suspect


def test_a_fault_that_lasts_does_not_flood_the_link() -> None:
    sent = [second for second, verdict in enumerate(verdicts([0.9] * 100)) if verdict.suspect]
    assert sent == [2, 32, 62, 92]


def test_what_is_cleared_is_sampled_at_random_and_what_is_odd_is_not() -> None:
    assert verdicts([0.1], draw=0.0099) == [Verdict(suspect=False, sampled=True)]
    assert verdicts([0.1], draw=0.01) == [Verdict(suspect=False, sampled=False)]
    assert verdicts([0.9], draw=0.0) == [Verdict(suspect=False, sampled=False)]


def test_a_clock_that_went_back_does_not_silence_a_robot() -> None:
    state = START
    for now in (1000.0, 1001.0, 1002.0):
        state, verdict = decide(state, POLICY, 0.9, now, 0.5)
    assert verdict.suspect
    _, verdict = decide(state, POLICY, 0.9, 10.0, 0.5)
    assert verdict.suspect


@given(st.lists(st.floats(0, 1), max_size=300))
def test_suspects_are_never_closer_than_the_policy_says_and_never_without_a_run(scores: list[float]) -> None:
    sent = [second for second, verdict in enumerate(verdicts(scores)) if verdict.suspect]
    assert all(later - earlier >= 30 for earlier, later in pairwise(sent))
    assert all(min(scores[second - 2 : second + 1]) >= 0.6 for second in sent)


DATA = {"motor_temp_c": 30.0, "motor_current_a": 2.0, "speed_mps": 1.0, "battery_pct": 80.0, "TEMP": 20.0}


def test_a_row_has_the_slope_of_the_battery_in_it() -> None:
    row = windows.row({**DATA, "battery_pct": 79.9}, DATA, 2.0)
    assert row == pytest.approx([30.0, 2.0, 1.0, -0.05, 20.0])


@pytest.mark.parametrize("value", [None, "30", True, float("nan"), float("inf")])
@pytest.mark.parametrize("name", windows.METRICS)
def test_a_metric_that_is_no_finite_number_makes_no_row(name: str, value: object) -> None:
    assert windows.row({**DATA, name: value}, DATA, 1.0) is None
    assert windows.row(DATA, {**DATA, "battery_pct": "full"}, 1.0) is None
    assert windows.row(DATA, DATA, 0.0) is None


numbers = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(*[numbers] * len(windows.FEATURES)), min_size=windows.WINDOW_ROWS, max_size=windows.WINDOW_ROWS))
def test_whatever_the_sensors_say_the_model_reads_finite_numbers_within_its_limits(window: list[tuple[float, ...]]) -> None:
    inputs = windows.vector(window)
    assert len(inputs) == len(windows.INPUTS)
    assert all(isfinite(value) and abs(value) <= windows.LIMIT for value in inputs)


def test_a_window_of_another_shape_is_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(15, \[5\]\): expected \(16, 5\)"):
        windows.vector([[0.0] * 5] * 15)
    with pytest.raises(ValueError, match=r"\[4\]"):
        windows.vector([[0.0] * 4] * 16)


def test_the_inputs_say_how_the_robot_drove_and_what_it_cost() -> None:
    standing = [[30.0, 0.35, 0.0, -0.016, 20.0]] * 8
    driving = [[30.0 + second * 0.1, 2.35, 1.0, -0.05, 20.0] for second in range(8)]
    by_name = dict(zip(windows.INPUTS, windows.vector([*standing, *driving]), strict=True))
    assert by_name["moving_share"] == pytest.approx((0.5 - 0.6) / 0.4)
    assert by_name["current_moving_a"] == pytest.approx((2.35 - 2.6) / 0.8)
    assert by_name["current_still_a"] == pytest.approx((0.35 - 0.6) / 0.6)
    assert by_name["drain_pct_s"] == pytest.approx((-0.033 + 0.036) / 0.015)
    assert by_name["motor_temp_slope_c_s"] > 0


def test_charging_rows_and_those_beside_them_do_not_count_as_drain() -> None:
    drain = [30.0, 0.35, 0.0, -0.016, 20.0]
    mixed, charge = [30.0, 0.35, 0.0, -0.001, 20.0], [30.0, 0.35, 0.0, 0.48, 20.0]
    at = windows.INPUTS.index("drain_pct_s")
    assert windows.vector([*[drain] * 7, mixed, *[charge] * 8])[at] == pytest.approx((-0.016 + 0.036) / 0.015)
    assert windows.vector([charge] * 16)[at] == 0.0


def test_scores_rise_with_the_error_along_the_curve_and_beyond_it() -> None:
    curve = ((0.1, 0.0), (1.0, -1.0), (10.0, -3.0), (20.0, -4.0))
    errors = sorted([0.0, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 15.0, 20.0, 30.0, *(Random(1).uniform(0, 40) for _ in range(200))])
    values = [log10_p(curve, error) for error in errors]
    assert values == sorted(values, reverse=True)
    assert log10_p(curve, 5.5) == pytest.approx(-2.0)
    assert log10_p(curve, 30.0) == pytest.approx(-5.0)
    assert log10_p(curve, 0.0) == 0.0
