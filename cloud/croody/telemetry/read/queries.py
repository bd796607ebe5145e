"""Reads of telemetry, in SQL that PostgreSQL and SQLite share. Knows the tables; who may see a robot is said by `access`.

A robot's newest reading is the one that comes last by (place of the stream, seq). Only readings that came without a
stream have nothing but their time: they compete by it with the agent's newest one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
from django.conf import settings
from django.db import connections
from django.db.models import Count

from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.models import DeadLetter, Stream, StreamTotal
from croody.telemetry.rows import COLUMNS, ApiRow, aware, of_columns
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
_TOPS: Final = f"""
SELECT r.* FROM unnest(%s::text[], %s::text[]) AS k (robot, stream)
CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM telemetry_record t WHERE t.robot_id = k.robot AND t.stream = k.stream AND t.kind = 'reading'
    ORDER BY t.seq DESC LIMIT %s
) AS r
"""


def last(robot_id: str) -> ApiRow | None:
    """The newest reading of a robot, also when its row is past retention."""
    return last_of([robot_id]).get(robot_id)


def last_of(robot_ids: Collection[str]) -> dict[str, ApiRow]:
    """The newest reading of each robot that has one, from the ledger alone."""
    return {robot_id: msgspec.json.decode(one.row) for robot_id, one in _latest(robot_ids).items()}


class _Latest(NamedTuple):
    """`alone`: the robot has readings in no other stream."""

    at: datetime
    stream: str
    row: str
    alone: bool


def _latest(robot_ids: Collection[str]) -> dict[str, _Latest]:
    """Of each robot: the agent's newest reading by the place of its stream, or one without a stream when that is younger."""
    newest: dict[str, tuple[float, datetime, str, str]] = {}
    plain: dict[str, tuple[datetime, str, str]] = {}
    streams: Counter[str] = Counter()
    for some in _sliced(sorted(robot_ids)):
        for robot_id, stream, place, at, row in _all(_LATEST.format(marks=_marks(some)), some):
            streams[robot_id] += 1
            if stream in PLAIN_STREAMS:
                plain[robot_id] = max(plain.get(robot_id, (at, stream, row)), (at, stream, row))
            elif robot_id not in newest or place >= newest[robot_id][0]:
                newest[robot_id] = (place, at, stream, row)
    found = {robot_id: one[1:] for robot_id, one in newest.items()}
    for robot_id, one in plain.items():
        if robot_id not in found or one[0] > found[robot_id][0]:
            found[robot_id] = one
    return {robot_id: _Latest(aware(at), stream, row, streams[robot_id] == 1) for robot_id, (at, stream, row) in found.items()}


def newest(robot_id: str, limit: int) -> list[ApiRow]:
    """At most `limit` readings of a robot, newest first."""
    return [row for _, row in islice(_newest(robot_id, limit), limit)]


def _newest(robot_id: str, limit: int) -> Iterator[tuple[datetime, ApiRow]]:
    """Readings with the time they count at, newest first. The agent's keep their order, the others are put between by time."""
    plain = [(aware(row[2]), of_columns(row)) for row in _all(_NEWEST_PLAIN, [robot_id, limit])]
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
        yield from ((aware(row[2]), of_columns(row)) for row in rows)
        left -= len(rows)
        if left <= 0:
            return


def query(robot_ids: Collection[str], limit: int) -> list[ApiRow]:
    """At most `limit` readings of several robots together, newest first; each robot's own keep their order."""
    if len(robot_ids) == 1:
        return newest(next(iter(robot_ids)), limit)
    every = [_from_latest(robot_id, one, limit) for robot_id, one in _latest(robot_ids).items()]
    return [row for _, row in islice(merge(*every, key=lambda pair: pair[0], reverse=True), limit)]


def _from_latest(robot_id: str, one: _Latest, limit: int) -> Iterator[tuple[datetime, ApiRow]]:
    """A robot's readings, newest first. The first one is known already, so robots with nothing newer are not asked about."""
    row = msgspec.json.decode(one.row)
    yield one.at, row
    yield from (pair for pair in _newest(robot_id, limit) if pair[1]["id"] != row["id"])


def live(robot_ids: Collection[str], limit: int, *, now: datetime) -> dict[str, Any]:
    """Every robot that has a reading: its newest one and a trail of at most `limit`, oldest first."""
    latest = _latest(robot_ids)
    trails = _trails(latest, limit) if limit > 1 else {}
    robots = []
    for robot_id, one in sorted(latest.items()):
        # Its rows may be past retention; what the ledger keeps of the newest one is not.
        trail = trails.get(robot_id) or [msgspec.json.decode(one.row)]
        robots.append({"robot_id": robot_id, "last": trail[-1], "trail": trail})
    return {"robots": robots, "total_points": sum(len(robot["trail"]) for robot in robots), "updated_at": now.isoformat()}


def _trails(latest: Mapping[str, _Latest], limit: int) -> dict[str, list[ApiRow]]:
    """Oldest first. Most robots' trails lie in one stream: those are read in few statements, the others one by one."""
    trails: dict[str, list[ApiRow]] = {}
    agents = {robot_id: one for robot_id, one in latest.items() if one.stream not in PLAIN_STREAMS}
    for robot_id, row in _tops(agents, limit):
        trails.setdefault(robot_id, []).append(row)
    for robot_id, one in latest.items():
        short = len(trails.get(robot_id, ())) < limit and not one.alone
        if short or robot_id not in agents:
            trails[robot_id] = newest(robot_id, limit)[::-1]
    return trails


def _tops(latest: Mapping[str, _Latest], limit: int) -> Iterator[tuple[str, ApiRow]]:
    """The newest readings of one stream a robot, oldest first."""
    if connections[settings.TELEMETRY_DB].vendor != "postgresql":
        for robot_id, one in latest.items():
            yield from ((robot_id, of_columns(row)) for row in _all(_NEWEST, [robot_id, one.stream, limit])[::-1])
        return
    for some in _sliced(sorted(latest)):
        names = [latest[robot_id].stream for robot_id in some]
        yield from ((row[1], of_columns(row)) for row in _all(_TOPS, [some, names, limit])[::-1])


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
