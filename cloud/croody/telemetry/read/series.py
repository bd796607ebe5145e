"""Metrics of robots over time, in buckets that all of them share: what charts, `/api/v1/series` and exports ask.

Asks the readings while a bucket is finer than a minute and few enough of them lie in the range, else the roll-ups of minutes, else
those of hours: so many rows at most are read whatever the range is. Who may see a robot is not known here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final, Literal

from croody.telemetry.ingest.clock import in_utc
from croody.telemetry.read.sql import ask, listed, on_postgres
from croody_contract.messages import Refused

MINUTE_S: Final = 60
HOUR_S: Final = 3600
#: Buckets of an answer, and lines (a robot's metric) of it.
MOST_BUCKETS: Final = 1200
MOST_LINES: Final = 32
#: Rows that one answer reads: beyond that, readings give way to minutes, minutes to hours, and hours are refused.
MOST_READINGS: Final = 10_000
MOST_ROLLED: Final = 60_000
MOST_HOURS: Final = 120_000
#: One-minute roll-ups outlive the readings by this: before that there are hours alone.
MINUTES_KEPT: Final = timedelta(days=400)
#: How far the roll-ups lie behind what is stored: so much of the end of a range is read from the readings themselves.
_BEHIND: Final = timedelta(seconds=90)
#: Buckets longer than this do not show that the last minute is not in them yet.
_FRESH_S: Final = 600
_EARLIEST_S: Final = -62135596800

Source = Literal["readings", "minutes", "hours"]

_READINGS_POSTGRES: Final = """
SELECT r.robot_id, m.name, floor(extract(epoch FROM r.at) / %s)::bigint * %s AS bucket, avg(v.n), min(v.n), max(v.n), count(*)
FROM telemetry_record r
CROSS JOIN unnest(%s::text[]) AS m (name)
CROSS JOIN LATERAL (SELECT r.data -> m.name AS j) AS f
CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(f.j) = 'number' THEN f.j::double precision END AS n) AS v
WHERE r.robot_id = ANY(%s) AND r.at >= %s AND r.at < %s AND r.kind = 'reading' AND v.n BETWEEN -1e150 AND 1e150
GROUP BY 1, 2, 3
"""
_READINGS_SQLITE: Final = """
SELECT r.robot_id, e.key, CAST(strftime('%%s', r.at) AS integer) / %s * %s AS bucket, avg(e.value), min(e.value), max(e.value), count(*)
FROM telemetry_record r, json_each(r.data) e
WHERE e.key IN (SELECT value FROM json_each(%s)) AND r.robot_id IN (SELECT value FROM json_each(%s)) AND r.at >= %s AND r.at < %s
    AND r.kind = 'reading' AND e.type IN ('integer', 'real') AND e.value BETWEEN -1e150 AND 1e150
GROUP BY 1, 2, 3
"""
_ROLLED_POSTGRES: Final = """
SELECT robot_id, metric, floor(extract(epoch FROM at) / %s)::bigint * %s AS bucket,
    sum(mean * count) / sum(count), min(low), max(high), sum(count)::bigint
FROM telemetry_rollup WHERE metric = ANY(%s) AND robot_id = ANY(%s) AND at >= %s AND at < %s AND step_s = %s
GROUP BY 1, 2, 3
"""
_ROLLED_SQLITE: Final = """
SELECT robot_id, metric, CAST(strftime('%%s', at) AS integer) / %s * %s AS bucket,
    sum(mean * count) / sum(count), min(low), max(high), sum(count)
FROM telemetry_rollup WHERE metric IN (SELECT value FROM json_each(%s)) AND robot_id IN (SELECT value FROM json_each(%s))
    AND at >= %s AND at < %s AND step_s = %s
GROUP BY 1, 2, 3
"""
#: Whether more than so many records lie in a range: reads no more than that.
_MANY_POSTGRES: Final = """
SELECT count(*) FROM (SELECT 1 FROM telemetry_record WHERE robot_id = ANY(%s) AND at >= %s AND at < %s LIMIT %s) AS few
"""
_MANY_SQLITE: Final = """
SELECT count(*) FROM (SELECT 1 FROM telemetry_record WHERE robot_id IN (SELECT value FROM json_each(%s)) AND at >= %s AND at < %s LIMIT %s)
"""


@dataclass(slots=True)
class Line:
    """One metric of one robot: a value a bucket, None where nothing came. `count`: readings in the bucket, 0 for none."""

    robot_id: str
    metric: str
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    count: list[int]


@dataclass(frozen=True, slots=True)
class Series:
    """Aligned lines. `at`: the start of each bucket in unix seconds, `step_s` apart; `source`: from what they were made.

    Every (robot, metric) that was asked for has a line, in the order asked, also when nothing came.
    """

    start: datetime
    end: datetime
    step_s: int
    source: Source
    at: list[int]
    lines: list[Line] = field(default_factory=list)


def step_of(span_s: float, buckets: int) -> int:
    """The bucket length in seconds: at most `buckets` of them, and such that whole minutes or hours fill one."""
    step = max(1, ceil(span_s / buckets))
    unit = _unit(step)
    return ceil(step / unit) * unit


def series(
    robot_ids: Sequence[str],
    metrics: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    step_s: int | None = None,
    buckets: int = 400,
) -> Series:
    """Mean, least and greatest of each metric of each robot from `start` to `end`. The same time for any range.

    Args:
        robot_ids: whose; the caller has made sure that they may be seen.
        metrics: names as robots send them; values are in the robots' own units.
        start: aware; the first bucket is whole, so it may begin a moment before.
        end: aware; not in it.
        now: what lies within 90 s of it is read from the readings themselves, for the roll-ups come a little later.
        step_s: length of a bucket; it is kept exactly, or refused. None: the shortest one that gives at most `buckets`.
        buckets: 1 to 1,200; how many there are at most where `step_s` is None.

    Raises:
        Refused: something is out of bounds; the text names the value, the rule and the remedy.
    """
    _check(robot_ids, metrics, start, end, step_s, buckets)
    start, end = in_utc(start, "start"), in_utc(end, "end")
    asked = _Asked(tuple(dict.fromkeys(robot_ids)), tuple(dict.fromkeys(metrics)))
    source, step = _source(asked, start, end, step_s, buckets, HOUR_S if start < now - MINUTES_KEPT else 1)
    found = asked.find(source, start, end, step)
    if not found and source == "readings":
        # Single readings that old are gone; their minutes are not.
        source, step = "minutes", MINUTE_S if step_s is None else step
        found = asked.find(source, start, end, step) if step % MINUTE_S == 0 else {}
    fresh = now - _BEHIND
    if source == "minutes" and step <= _FRESH_S and end > fresh:
        found |= asked.find("readings", max(start, fresh), end, step)
    at = list(range(_floor(start, step), ceil(end.timestamp()), step))
    return Series(start, end, step, source, at, [_line(robot, metric, at, found) for robot in asked.robots for metric in asked.metrics])


Bucket = tuple[str, str, int]
Values = tuple[float, float, float, int]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which lines; each question to the database is one statement for all of them."""

    robots: tuple[str, ...]
    metrics: tuple[str, ...]

    @property
    def lines(self) -> int:
        return len(self.robots) * len(self.metrics)

    def find(self, source: Source, start: datetime, end: datetime, step: int) -> dict[Bucket, Values]:
        begin = datetime.fromtimestamp(max(_floor(start, step), _EARLIEST_S), UTC)
        parameters = [step, step, listed(self.metrics), listed(self.robots), _moment(begin), _moment(end)]
        if source == "readings":
            rows = ask(_READINGS_POSTGRES if on_postgres() else _READINGS_SQLITE, parameters)
        else:
            parameters.append(HOUR_S if source == "hours" else MINUTE_S)
            rows = ask(_ROLLED_POSTGRES if on_postgres() else _ROLLED_SQLITE, parameters)
        return {(robot, metric, int(bucket)): (mean, low, high, count) for robot, metric, bucket, mean, low, high, count in rows}

    def few(self, start: datetime, end: datetime) -> bool:
        """Whether so few readings lie in the range that they may all be read: to find a row costs about as much as three values in it."""
        most = MOST_READINGS * 4 // (3 + len(self.metrics))
        parameters = [listed(self.robots), _moment(start), _moment(end), most + 1]
        return bool(ask(_MANY_POSTGRES if on_postgres() else _MANY_SQLITE, parameters)[0][0] <= most)


def _source(asked: _Asked, start: datetime, end: datetime, step_s: int | None, buckets: int, least: int) -> tuple[Source, int]:
    """From what to read, and in which steps: of `least` seconds at least, where nobody asks for any.

    Raises:
        Refused: too much for the step that was asked for, or for any.
    """
    span = (end - start).total_seconds()
    step = step_s or max(step_of(span, buckets), least)
    if step < MINUTE_S:
        if asked.few(start, end):
            return "readings", step
        if step_s is not None:
            text = f"step_s: {step_s}: more readings lie in this range than are read at once: use a step_s of 60, or less time"
            raise Refused("bad_value", text)
        step = MINUTE_S
    if step < HOUR_S:
        if span / MINUTE_S * asked.lines <= MOST_ROLLED:
            return "minutes", step
        if step_s is not None:
            raise Refused("bad_value", f"step_s: {step_s}: more than {MOST_ROLLED} minutes of these lines: use a step_s of 3600, or fewer")
        step = HOUR_S
    if span / HOUR_S * asked.lines > MOST_HOURS:
        raise Refused("bad_value", f"start, end: {span / 86400:.0f} days of {asked.lines} lines: too many: use less time, or fewer lines")
    return "hours", step


def _check(robot_ids: Collection[str], metrics: Collection[str], start: datetime, end: datetime, step_s: int | None, buckets: int) -> None:
    lines = len(set(robot_ids)) * len(set(metrics))
    if not 1 <= lines <= MOST_LINES:
        raise Refused("bad_value", f"robot_id, metric: {lines} lines: ask for 1 to {MOST_LINES} (robots times metrics)")
    for name, values in (("robot_id", robot_ids), ("metric", metrics)):
        for value in values:
            if not 1 <= len(value) <= 64 or "\x00" in value:
                raise Refused("bad_value", f"{name}: {value[:80]!r}: use 1 to 64 characters, none of them U+0000")
    if start.tzinfo is None or end.tzinfo is None:
        raise Refused("bad_value", "start, end: write the times with their offset, as 2026-11-24T10:00:00+00:00")
    if start >= end:
        raise Refused("bad_value", f"start: {start.isoformat()} is not before end {end.isoformat()}")
    if not 1 <= buckets <= MOST_BUCKETS:
        raise Refused("bad_value", f"buckets: {buckets}: use 1 to {MOST_BUCKETS}")
    if step_s is not None:
        _check_step(step_s, (end - start).total_seconds())


def _check_step(step_s: int, span_s: float) -> None:
    if step_s < 1 or step_s % _unit(step_s):
        raise Refused("bad_value", f"step_s: {step_s}: use whole seconds below 60, whole minutes below 3600, then whole hours")
    if span_s / step_s > MOST_BUCKETS:
        best = step_of(span_s, MOST_BUCKETS)
        raise Refused("bad_value", f"step_s: {step_s}: gives more than {MOST_BUCKETS} buckets: use {best} or more, or less time")


def _unit(step: int) -> int:
    return 1 if step < MINUTE_S else MINUTE_S if step < HOUR_S else HOUR_S


def _floor(moment: datetime, step: int) -> int:
    return int(moment.timestamp() // step * step)


def _moment(at: datetime) -> Any:
    """As the database compares it with its own."""
    return at if on_postgres() else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def _line(robot_id: str, metric: str, at: Sequence[int], found: dict[Bucket, Values]) -> Line:
    values = [found.get((robot_id, metric, bucket)) for bucket in at]
    mean, low, high = ([value[part] if value is not None else None for value in values] for part in range(3))
    return Line(robot_id, metric, mean, low, high, [int(value[3]) if value is not None else 0 for value in values])
