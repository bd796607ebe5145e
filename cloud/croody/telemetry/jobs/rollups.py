"""One-minute and one-hour roll-ups of every numeric metric. Whatever comes late has its buckets computed again.

Buckets are computed by reading alone and written in short transactions; the cursor moves last. Stopped anywhere, the next
run computes the same buckets again and writes the same values.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import DataError, connections

from croody.telemetry.jobs.aside import set_aside
from croody.telemetry.jobs.metric_names import MetricNames
from croody.telemetry.jobs.minutes import of_minutes
from croody.telemetry.models import Cursor
from croody.telemetry.read.follow import Follower, alike_since
from croody.telemetry.store.sqlite import write_moment
from croody.web.turns import in_turns

_NAME: Final = "roll_up"
_PAGE: Final = 5000
#: New rows are read until so many pages or so many buckets are collected: a bucket is computed once for all of them.
_PAGES: Final = 100
_MOST_BUCKETS: Final = 50_000
#: A run ends after so many rounds of this; the next one goes on.
_ROUNDS: Final = 10
#: Buckets that are computed before they are written.
_ASKED: Final = 200
#: Roll-ups in one transaction: a few milliseconds of the one lock that SQLite has.
WRITTEN: Final = 200
#: (robot_id, start)
Bucket = tuple[str, datetime]
#: (robot_id, start, metric)
Hour = tuple[str, datetime, str]
B = TypeVar("B", Bucket, Hour)
#: (robot_id, metric, step_s, at, count, mean, low, high)
Rolled = tuple[Any, ...]

_UPSERT: Final = """
INSERT INTO telemetry_rollup (robot_id, metric, step_s, at, count, mean, low, high) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (robot_id, metric, step_s, at)
DO UPDATE SET count = excluded.count, mean = excluded.mean, low = excluded.low, high = excluded.high
"""
#: The minute of a row's time. SQLite keeps it as text.
_MINUTE: Final = {"sqlite": "substr(at, 1, 16)", "postgresql": "date_trunc('minute', at)"}
# By metric, too: without it the index leads through all that the robot ever had.
_HOURS_POSTGRES: Final = """
SELECT k.robot_id, k.metric, 3600, k.at, sum(r.count)::bigint, sum(r.mean * r.count) / sum(r.count), min(r.low), max(r.high)
FROM unnest(%s::text[], %s::timestamptz[], %s::text[]) AS k (robot_id, at, metric)
JOIN telemetry_rollup r ON r.robot_id = k.robot_id AND r.metric = k.metric AND r.step_s = 60
    AND r.at >= k.at AND r.at < k.at + interval '1 hour'
GROUP BY k.robot_id, k.metric, k.at
"""
_HOUR_SQLITE: Final = """
SELECT %s, metric, 3600, %s, sum(count), sum(mean * count) / sum(count), min(low), max(high)
FROM telemetry_rollup WHERE robot_id = %s AND metric = %s AND step_s = 60 AND at >= %s AND at < %s
GROUP BY metric
"""


@cache
def metric_names() -> MetricNames:
    """What this process knows of robots' metrics."""
    return MetricNames()


def roll_up(now: datetime) -> None:
    """Compute again every bucket into which something new came since the last run."""
    catch_up(now)


def catch_up(now: datetime, *, written: int = WRITTEN) -> bool:
    """As `roll_up`; says whether nothing is left to be rolled up. `written`: roll-ups in one transaction."""
    alias = settings.TELEMETRY_DB
    for _ in range(_ROUNDS):
        row = Cursor.objects.filter(pk=_NAME).first()
        before = Follower.from_json(row.value if row is not None else {})
        minutes, after, more = _touched(before, now)
        names = metric_names()
        minutes = [bucket for bucket in minutes if names.may(bucket[0], now)]
        for start in range(0, len(minutes), _ASKED):
            _roll(minutes[start : start + _ASKED], alias, now, written)
        names.tell(now)
        if after != before:
            Cursor.objects.update_or_create(pk=_NAME, defaults={"value": after.to_json()})
        if not more:
            return True
    return False


def _touched(follower: Follower, now: datetime) -> tuple[list[Bucket], Follower, bool]:
    """Minutes into which something new came, in order; where the follower stands after them, and whether there is more."""
    minute = _MINUTE[connections[settings.TELEMETRY_DB].vendor]
    columns = {name: f"CASE WHEN kind = 'reading' THEN {sql} END" for name, sql in (("robot", "robot_id"), ("minute", minute))}
    minutes: set[Bucket] = set()
    for _ in range(_PAGES):
        found, follower, more = alike_since(follower, columns, now=now, limit=_PAGE)
        minutes.update((robot_id, _aware(at)) for robot_id, at in found if robot_id is not None)
        if not more:
            return sorted(minutes), follower, False
        if len(minutes) >= _MOST_BUCKETS:
            break
    return sorted(minutes), follower, True


def _roll(minutes: Sequence[Bucket], alias: str, now: datetime, written: int) -> None:
    """Minutes first: hours are made of them. A robot's minutes lie side by side, so an hour is hardly computed twice."""
    hours: set[Hour] = set()
    names = metric_names()
    rolled = [row for row in _whatever_can_be(minutes, of_minutes, alias, now) if names.fits(row[0], row[1])]
    in_turns(rolled, written, lambda some: _write(some, alias), alias)
    for robot_id, metric, _, at, *_ in rolled:
        hours.add((robot_id, _aware(at).replace(minute=0), metric))
        names.took(robot_id, now)
    in_turns(_whatever_can_be(sorted(hours), _hours, alias, now), written, lambda some: _write(some, alias), alias)


def _whatever_can_be(buckets: Sequence[B], compute: Callable[[Sequence[B], str], list[Rolled]], alias: str, now: datetime) -> list[Rolled]:
    """The roll-ups of all buckets but those that the database cannot compute: each of these is set aside alone."""
    if not buckets:
        return []
    try:
        return compute(buckets, alias)
    except DataError as error:
        if len(buckets) == 1:
            set_aside(_NAME, buckets[0][0], f"what came at {buckets[0][1].isoformat()}", error, now)
            return []
    return [rolled for bucket in buckets for rolled in _whatever_can_be([bucket], compute, alias, now)]


def _hours(buckets: Sequence[Hour], alias: str) -> list[Rolled]:
    connection = connections[alias]
    found: list[Rolled] = []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_HOURS_POSTGRES, _parted(buckets))
            return list(cursor.fetchall())
        for robot_id, at, metric in buckets:
            start, end = write_moment(at), write_moment(at + timedelta(hours=1))
            cursor.execute(_HOUR_SQLITE, [robot_id, start, robot_id, metric, start, end])
            found += cursor.fetchall()
    return found


def _parted(buckets: Sequence[Bucket | Hour]) -> list[list[Any]]:
    return [list(column) for column in zip(*buckets, strict=True)]


def _aware(at: datetime | str) -> datetime:
    """As the driver gives back what the statement was given."""
    return at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)


def _write(rolled: Sequence[Rolled], alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.executemany(_UPSERT, rolled)
