"""What is usual for a robot, and what counts as evidence."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from croody.detection.windows import baseline, suspicion
from croody.detection.windows.queries import wilson
from croody.detection.windows.suspicion import Evidence

NAMES = ["temp_c", "current_a", "speed_mps"]
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def compare(summary: baseline.Summary, known: list[baseline.Summary], names: list[str]) -> baseline.Comparison:
    return baseline.compare(summary, baseline.prepare(known), names)


def windows(count: int, seed: int) -> list[baseline.Summary]:
    """A robot that half of the time drives (warm, 2 A, 0.8 m/s) and half of the time waits."""
    random = np.random.default_rng(seed)
    out = []
    for index in range(count):
        level = np.array([30.0, 2.0, 0.8]) if index % 2 else np.array([22.0, 0.2, 0.0])
        noise = random.normal(0, [0.5, 0.1, 0.02], size=(16, 3))
        out.append(baseline.summarise((level + random.normal(0, [1, 0.1, 0.05]) + noise).tolist()))
    return out


def test_a_summary_is_mean_spread_and_drift_of_each_sensor():
    rising = [[float(row), 5.0] for row in range(16)]
    mean, spread, drift = baseline.summarise(rising)[0]
    assert (mean, drift) == (7.5, 12.0)
    assert spread == pytest.approx(np.std(np.arange(16)))
    assert baseline.summarise(rising)[1] == [5.0, 0.0, 0.0]


def test_both_things_a_robot_usually_does_are_usual_and_what_lies_between_is_not():
    known = windows(100, seed=1)
    fresh = [compare(summary, known, NAMES).deviation for summary in windows(200, seed=2)]
    assert np.mean(np.array(fresh) > suspicion.UNUSUAL) <= 0.02
    between = compare([[26.0, 0.5, 0.0], [1.1, 0.1, 0.0], [0.4, 0.02, 0.0]], known, NAMES)
    assert between.deviation > suspicion.UNUSUAL


@pytest.mark.parametrize(("sensor", "offset"), [(0, 25.0), (1, 3.0), (2, 2.0)])
def test_the_sensor_that_went_astray_is_named(sensor: int, offset: float):
    known = windows(100, seed=1)
    odd = [list(statistics) for statistics in known[1]]
    odd[sensor][0] += offset
    comparison = compare(odd, known, NAMES)
    assert comparison.deviation > suspicion.UNUSUAL
    assert max(comparison.drivers, key=lambda name: comparison.drivers[name]) == NAMES[sensor]
    assert sum(comparison.drivers.values()) == pytest.approx(1.0)


def test_a_few_odd_windows_among_the_usual_ones_hide_no_odd_one():
    known = windows(97, seed=1) + [[[90.0, 9.0, 9.0], [9.0, 9.0, 9.0], [9.0, 9.0, 9.0]]] * 2
    hot = [list(statistics) for statistics in known[1]]
    hot[0][0] += 25.0
    assert compare(hot, known, NAMES).deviation > suspicion.UNUSUAL


def test_a_sensor_that_never_moves_makes_no_anomaly_of_rounding():
    still = [[[20.0, 0.0, 0.0], [1.0, 0.1, 0.01 * index]] for index in range(30)]
    assert compare([[20.0000001, 0.0, 0.0], [1.0, 0.1, 0.1]], still, NAMES[:2]).deviation < 1
    assert compare([[21.0, 0.0, 0.0], [1.0, 0.1, 0.1]], still, NAMES[:2]).deviation > suspicion.UNUSUAL


def test_too_few_windows_or_other_sensors_are_refused():
    known = windows(baseline.LEAST_TO_NAME - 1, seed=1)
    with pytest.raises(ValueError, match="4 usual windows"):
        baseline.prepare(known)
    with pytest.raises(ValueError, match="2 names"):
        compare(known[0][:2], windows(30, seed=1), NAMES[:2])
    for shape in ([], [[]]):
        with pytest.raises(ValueError, match="at least one row"):
            baseline.summarise(shape)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2), min_size=1, max_size=32), st.integers(0, 2**32 - 1))
def test_any_finite_window_has_a_finite_deviation_and_shares_that_sum_to_one(window: list[list[float]], seed: int):
    known = [summary[:2] for summary in windows(20, seed)]
    comparison = compare(baseline.summarise(window), known, NAMES[:2])
    assert np.isfinite(comparison.deviation)
    assert comparison.deviation >= 0
    assert sum(comparison.drivers.values()) == pytest.approx(1.0) or comparison.deviation < 1e-3


@pytest.mark.parametrize(
    ("suspect", "edge_score", "deviation", "counts"),
    [
        (True, 0.6, None, True),  # there is no usual yet: the edge is believed
        (True, 0.6, 1.0, False),  # the robot's usual explains it
        (True, 0.6, 1.6, True),
        (True, 0.8, 1.0, True),  # too rare a score to be explained away
        (False, 0.1, None, False),
        (False, 0.1, 1.0, False),
        (False, 0.1, 1.6, True),  # screening missed it
    ],
)
def test_what_counts_as_evidence(suspect: bool, edge_score: float, deviation: float | None, counts: bool):
    assert suspicion.confirmed(suspect=suspect, edge_score=edge_score, deviation=deviation) is counts


def evidence(*seconds: float) -> list[Evidence]:
    return [Evidence(NOON + timedelta(seconds=second), 0.7, {"temp_c": 0.75, "current_a": 0.25}) for second in seconds]


def test_three_windows_within_five_minutes_are_worth_an_alarm_and_two_or_scattered_ones_are_not():
    assert suspicion.worth_an_alarm([]) is None
    assert suspicion.worth_an_alarm(evidence(0, 30)) is None
    assert suspicion.worth_an_alarm(evidence(0, 200, 400)) is None
    detail = suspicion.worth_an_alarm(evidence(-1000, 0, 30, 299))
    assert detail is not None
    assert detail == {
        "windows": 3,
        "since": NOON.isoformat(),
        "until": (NOON + timedelta(seconds=299)).isoformat(),
        "edge_score": 0.7,
        "drivers": {"temp_c": 0.75, "current_a": 0.25},
    }
    assert suspicion.severity(detail) == "medium"
    many = suspicion.worth_an_alarm(evidence(*range(0, 240, 30)))
    assert many is not None
    assert suspicion.severity(many) == "high"


@pytest.mark.parametrize(("hits", "of", "low", "high"), [(0, 100, 0.0, 0.03699), (5, 100, 0.02154, 0.11175), (10, 10, 0.72246, 1.0)])
def test_the_interval_of_what_was_missed_is_wilsons(hits: int, of: int, low: float, high: float):
    found = wilson(hits, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=2e-4), pytest.approx(high, abs=2e-4))
    assert found.share == hits / of


def test_without_a_sample_nothing_is_claimed():
    found = wilson(0, 0)
    assert (found.share, found.low, found.high) == (None, 0.0, 1.0)
