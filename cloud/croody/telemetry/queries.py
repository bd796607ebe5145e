"""Reads of telemetry, in SQL that PostgreSQL and SQLite share. Knows the tables; who may see a robot is said by `access`.

A robot's newest reading is the one that comes last by (place of the stream, seq). Only readings that came without a
stream have nothing but their time: they compete by it with the agent's newest one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import connections
from django.db.models import Count

from croody.telemetry.ledger import Entry, missing
from croody.telemetry.models import DeadLetter, Stream, StreamTotal
from croody.telemetry.rows import COLUMNS, ApiRow, of_columns
from croody_contract import ranges
from croody_contract.topics import PLAIN_STREAMS

_SLICE: Final = 500
_LATEST: Final = """
SELECT robot_id, stream, place, latest_at, latest FROM telemetry_stream
WHERE robot_id IN ({marks}) AND latest_seq IS NOT NULL AND folded_at IS NULL
"""
_STREAMS: Final = """
SELECT stream FROM telemetry_stream
WHERE robot_id = %s AND latest_seq IS NOT NULL AND folded_at IS NULL AND stream NOT IN ('http', 'mqtt') ORDER BY place DESC, id DESC
"""
_NEWEST: Final = f"""
SELECT {COLUMNS} FROM telemetry_record WHERE robot_id = %s AND stream = %s AND kind = 'reading' ORDER BY seq DESC LIMIT %s
"""
_NEWEST_PLAIN: Final = f"""
SELECT {COLUMNS} FROM telemetry_record
WHERE robot_id = %s AND stream IN ('http', 'mqtt') AND kind = 'reading' ORDER BY at DESC, seq DESC LIMIT %s
"""


def last(robot_id: str) -> ApiRow | None:
    """The newest reading of a robot, also when its row is past retention."""
    return last_of([robot_id]).get(robot_id)


def last_of(robot_ids: Collection[str]) -> dict[str, ApiRow]:
    """The newest reading of each robot that has one, from the ledger alone: two rows a robot at most are looked at."""
    best: dict[str, tuple[bool, float, datetime, str]] = {}
    plain: dict[str, tuple[datetime, str]] = {}
    for some in _sliced(sorted(robot_ids)):
        for robot_id, stream, place, at, latest in _all(_LATEST.format(marks=_marks(some)), some):
            if stream in PLAIN_STREAMS:
                plain[robot_id] = max(plain.get(robot_id, (at, latest)), (at, latest))
            elif robot_id not in best or place >= best[robot_id][1]:
                best[robot_id] = (True, place, at, latest)
    newest = {robot_id: (at, latest) for robot_id, (_, _, at, latest) in best.items()}
    for robot_id, (at, latest) in plain.items():
        if robot_id not in newest or at > newest[robot_id][0]:
            newest[robot_id] = (at, latest)
    return {robot_id: msgspec.json.decode(latest) for robot_id, (_, latest) in newest.items()}


def newest(robot_id: str, limit: int) -> list[ApiRow]:
    """At most `limit` readings of a robot, newest first."""
    return [row for _, row in islice(_newest(robot_id, limit), limit)]


def _newest(robot_id: str, limit: int) -> Iterator[tuple[datetime, ApiRow]]:
    """Readings with the time they count at, newest first. The agent's keep their order, the others are put between by time."""
    plain = [(row[2], of_columns(row)) for row in _all(_NEWEST_PLAIN, [robot_id, limit])]
    index = 0
    for at, row in _agents_newest(robot_id, limit):
        while index < len(plain) and plain[index][0] > at:
            yield plain[index]
            index += 1
        yield at, row
    yield from plain[index:]


def _agents_newest(robot_id: str, limit: int) -> Iterator[tuple[datetime, ApiRow]]:
    left = limit
    for (stream,) in _all(_STREAMS, [robot_id]):
        rows = _all(_NEWEST, [robot_id, stream, left])
        yield from ((row[2], of_columns(row)) for row in rows)
        left -= len(rows)
        if left <= 0:
            return


def query(robot_ids: Collection[str], limit: int) -> list[ApiRow]:
    """At most `limit` readings of several robots together, newest first; each robot's own keep their order."""
    if len(robot_ids) == 1:
        return newest(next(iter(robot_ids)), limit)
    # Whoever has sent nothing for longest cannot be among the newest ones: look at the others only.
    candidates = _freshest(robot_ids, limit)
    streams = [_newest(robot_id, limit) for robot_id in candidates]
    return [row for _, row in islice(merge(*streams, key=lambda pair: pair[0], reverse=True), limit)]


def _freshest(robot_ids: Collection[str], limit: int) -> list[str]:
    latest: dict[str, datetime] = {}
    for some in _sliced(sorted(robot_ids)):
        for robot_id, _, _, at, _ in _all(_LATEST.format(marks=_marks(some)), some):
            latest[robot_id] = max(latest.get(robot_id, at), at)
    return sorted(latest, key=lambda robot_id: latest[robot_id], reverse=True)[:limit]


def live(robot_ids: Collection[str], limit: int, *, now: datetime) -> dict[str, Any]:
    """Every robot that has a reading: its newest one and a trail of at most `limit`, oldest first."""
    robots = []
    points = 0
    for robot_id, row in sorted(last_of(robot_ids).items()):
        trail = newest(robot_id, limit)[::-1] if limit > 1 else [row]
        trail = trail or [row]
        points += len(trail)
        robots.append({"robot_id": robot_id, "last": trail[-1], "trail": trail})
    return {"robots": robots, "total_points": points, "updated_at": now.isoformat()}


def streams(robot_ids: Iterable[str]) -> list[dict[str, Any]]:
    """What the ledger says of each stream, in each robot's order."""
    out = []
    for some in _sliced(sorted(robot_ids)):
        conflicts = {
            (row[0], row[1]): row[2]
            for row in DeadLetter.objects.filter(robot_id__in=some, reason="conflict")
            .values_list("robot_id", "stream")
            .annotate(Count("pk"))
        }
        for row in Stream.objects.filter(robot_id__in=some, folded_at=None, known_last__gt=0).order_by("robot_id", "place", "pk"):
            entry = Entry(row.have, row.dead, row.dropped, row.known_last)
            out.append(
                {
                    "robot_id": row.robot_id,
                    "stream": row.stream,
                    "first_seq": 1,
                    "last_seq": row.known_last,
                    "stored": ranges.count(row.have),
                    "missing": missing(entry),
                    "dropped": row.dropped,
                    "dead_letters": ranges.count(row.dead) + conflicts.get((row.robot_id, row.stream), 0),
                }
            )
    return out


def delivery(robot_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """What became of everything each robot ever queued: `stored`, `dead`, `dropped`, `missing`, folded streams included."""
    out: dict[str, dict[str, int]] = {}
    for some in _sliced(sorted(robot_ids)):
        for total in StreamTotal.objects.filter(robot_id__in=some):
            out[total.robot_id] = {"stored": total.stored, "dead": total.dead, "dropped": total.dropped, "missing": 0}
        for row in Stream.objects.filter(robot_id__in=some, folded_at=None).only("robot_id", "have", "dead", "dropped", "known_last"):
            sums = out.setdefault(row.robot_id, {"stored": 0, "dead": 0, "dropped": 0, "missing": 0})
            sums["stored"] += ranges.count(row.have)
            sums["dead"] += ranges.count(row.dead)
            sums["dropped"] += ranges.count(row.dropped)
            sums["missing"] += ranges.count(missing(Entry(row.have, row.dead, row.dropped, row.known_last)))
    return out


def _all(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[settings.TELEMETRY_DB].cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _sliced(values: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while some := list(islice(rest, _SLICE)):
        yield some
