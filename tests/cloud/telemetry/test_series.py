"""Series: metrics of robots in shared buckets, from readings while they are few, then from roll-ups; never more rows than a bound."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from croody_contract.messages import Reading, Refused
from tests.cloud.telemetry.helpers import NOON, batch, reading

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
#: So long after it all that the roll-ups hold everything.
LATER = NOON + 60 * DAY


@pytest.mark.parametrize(
    ("span_s", "buckets", "step_s"), [(60, 60, 1), (3600, 400, 9), (86400, 400, 240), (30 * 86400, 400, 7200), (1, 9, 1)]
)
def test_a_chart_never_has_more_buckets_than_were_asked_for(span_s: int, buckets: int, step_s: int):
    from croody.telemetry.read.series import step_of

    assert step_of(span_s, buckets) == step_s
    assert span_s / step_s <= buckets


def test_a_chart_has_its_values_where_they_belong_and_none_between(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services
    from croody.telemetry.read.chart import chart

    readings = [reading(value, NOON + timedelta(seconds=value)) for value in (0, 1, 2, 59, 61, 3599)]
    services.ingest_relay(batch("rover-1", "stream-a", 1, readings), now=NOON + timedelta(hours=1))
    jobs.roll_up(NOON + timedelta(hours=1))
    fine = chart("rover-1", "TEMP", NOON, NOON + timedelta(seconds=6), 3, now=LATER)
    assert (fine["step_s"], fine["mean"], fine["low"], fine["high"]) == (2, [0.5, 2.0, None], [0.0, 2.0, None], [1.0, 2.0, None])
    assert fine["at"] == [int(NOON.timestamp()) + second for second in (0, 2, 4)]
    coarse = chart("rover-1", "TEMP", NOON, NOON + timedelta(hours=1), 60, now=LATER)
    assert coarse["step_s"] == 60
    assert coarse["mean"] == [15.5, 61.0, *[None] * 57, 3599.0]
    assert chart("rover-1", "none", NOON, NOON + MINUTE, 10, now=LATER)["mean"] == [None]
    jobs.apply_retention(NOON + 40 * DAY)
    assert chart("rover-1", "TEMP", NOON, NOON + MINUTE, 60, now=LATER)["mean"] == [15.5], "rows are gone, their minutes are not"
    assert chart("rover-1", "TEMP", NOON - 365 * DAY, NOON + DAY, 100, now=LATER)["low"].count(0.0) == 1


def test_lines_of_several_robots_and_metrics_share_their_buckets(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry.ingest import services
    from croody.telemetry.read.series import series

    for robot_id, offset in (("rover-1", 0), ("rover-2", 1)):
        rows = [
            Reading(data={"TEMP": 20.0 + second, "HUM": 50, "word": "no number"}, ts=NOON + timedelta(seconds=second))
            for second in (offset, 4)
        ]
        services.ingest_relay(batch(robot_id, "stream-a", 1, rows), now=NOON + MINUTE)
    found = series(["rover-1", "rover-2"], ["TEMP", "HUM", "word"], NOON, NOON + timedelta(seconds=6), now=LATER, step_s=2)
    lines = {(line.robot_id, line.metric): (line.mean, line.count) for line in found.lines}
    assert found.source == "readings"
    assert [second - found.at[0] for second in found.at] == [0, 2, 4]
    assert lines["rover-1", "TEMP"] == ([20.0, None, 24.0], [1, 0, 1])
    assert lines["rover-2", "TEMP"] == ([21.0, None, 24.0], [1, 0, 1])
    assert lines["rover-2", "HUM"] == ([50.0, None, 50.0], [1, 0, 1])
    assert lines["rover-1", "word"] == ([None] * 3, [0] * 3), "what is no number is a hole, and its line is there"


def test_the_last_minutes_are_there_before_the_roll_up_came_to_them(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services
    from croody.telemetry.read.series import series

    services.ingest_relay(batch("rover-1", "stream-a", 1, [reading(10.0, NOON - 30 * MINUTE)]), now=NOON)
    jobs.roll_up(NOON)
    services.ingest_relay(batch("rover-1", "stream-a", 2, [reading(12.0, NOON - timedelta(seconds=70)), reading(13.0, NOON)]), now=NOON)
    found = series(["rover-1"], ["TEMP"], NOON - 60 * MINUTE, NOON + MINUTE, now=NOON, step_s=60)
    assert found.source == "minutes"
    assert [value for value in found.lines[0].mean if value is not None] == [10.0, 12.0, 13.0]


def test_readings_that_are_too_many_give_way_to_their_minutes(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services
    from croody.telemetry.read.series import MOST_LINES, MOST_READINGS, series

    count = MOST_READINGS * 4 // (3 + MOST_LINES) + 1
    rows = [reading(float(number), NOON + timedelta(seconds=number / 50)) for number in range(count)]
    services.ingest_relay(batch("rover-1", "stream-a", 1, rows), now=NOON + MINUTE)
    jobs.roll_up(NOON + MINUTE)
    names = ["TEMP", *(f"m{number}" for number in range(MOST_LINES - 1))]
    found = series(["rover-1"], names, NOON, NOON + MINUTE, now=LATER, buckets=60)
    assert (found.source, found.step_s, found.lines[0].mean) == ("minutes", 60, [(count - 1) / 2])
    assert series(["rover-1"], names[:2], NOON, NOON + MINUTE, now=LATER, buckets=60).source == "readings"
    with pytest.raises(Refused, match="step_s: 1: more readings lie in this range than are read at once: use a step_s of 60"):
        series(["rover-1"], names, NOON, NOON + MINUTE, now=LATER, step_s=1)


def test_a_long_range_of_many_lines_comes_from_hours(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry.read.series import series

    names = [f"m{number}" for number in range(32)]
    found = series(["rover-1"], names, NOON - 30 * DAY, NOON, now=NOON, buckets=1200)
    assert (found.source, found.step_s) == ("hours", 3600)
    assert series(["rover-1"], names[:1], NOON - 30 * DAY, NOON, now=NOON, buckets=1200).source == "minutes"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"robot_ids": []}, "0 lines: ask for 1 to 32"),
        ({"metrics": [f"m{number}" for number in range(33)]}, "33 lines: ask for 1 to 32"),
        ({"metrics": ["a\0b"]}, "none of them U\\+0000"),
        ({"metrics": ["x" * 65]}, "use 1 to 64 characters"),
        ({"start": NOON + DAY}, "is not before end"),
        ({"start": NOON.replace(tzinfo=None)}, "with their offset"),
        ({"buckets": 1201}, "buckets: 1201: use 1 to 1200"),
        ({"step_s": 0}, "step_s: 0"),
        ({"step_s": 61}, "whole minutes below 3600"),
        ({"step_s": 10}, "gives more than 1200 buckets: use 120 or more"),
        ({"start": NOON - 3000 * DAY, "metrics": ["a", "b"]}, "too many: use less time, or fewer lines"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_remedy(telemetry: str, wrong: dict[str, Any], told: str):
    from croody.telemetry.read.series import series

    asked: dict[str, Any] = {"robot_ids": ["rover-1"], "metrics": ["TEMP"], "start": NOON - 1.5 * DAY, "end": NOON, "now": NOON} | wrong
    with pytest.raises(Refused, match=told):
        series(**asked)
