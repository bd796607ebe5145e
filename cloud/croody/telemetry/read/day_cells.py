"""A robot's last 24 hours as 96 cells: what came, what came late, what is missing and what is lost, in each quarter of an hour.

The ledger knows numbers and no times: what lies between two stored neighbours is missing between their times. Bounded: roll-ups of one
metric, one step in an index a cell, and the newest `MOST_HOLES` holes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import Value
from django.db.models.functions import Coalesce

from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.models import Stream
from croody.telemetry.read.sql import ask, columns, on_postgres
from croody.telemetry.rows import moment
from croody_contract.ranges import Range
from croody_contract.topics import PLAIN_STREAMS

CELLS: Final = 96
CELL_S: Final = 900
#: Holes that are given a time; older ones are only counted.
MOST_HOLES: Final = 200
#: Streams that are looked at for holes, the newest first.
_STREAMS: Final = 20

Sign = Literal["", "whole", "late", "missing", "lost"]

_COUNTS_POSTGRES: Final = """
SELECT floor(extract(epoch FROM at) / %s)::bigint, sum(count)::bigint FROM telemetry_rollup
WHERE robot_id = %s AND metric = %s AND step_s = 60 AND at >= %s AND at < %s GROUP BY 1
"""
_COUNTS_SQLITE: Final = _COUNTS_POSTGRES.replace(
    "floor(extract(epoch FROM at) / %s)::bigint", "CAST(strftime('%%s', at) AS integer) / %s"
).replace("::bigint", "")
_LATE_POSTGRES: Final = """
SELECT k.number FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS k (number, start, until)
WHERE EXISTS (SELECT 1 FROM telemetry_record r WHERE r.robot_id = %s AND r.historical AND r.at >= k.start AND r.at < k.until)
"""
_LATE_SQLITE: Final = """
SELECT json_extract(k.value, '$[0]') FROM json_each(%s) AS k
WHERE EXISTS (SELECT 1 FROM telemetry_record r WHERE r.robot_id = %s AND r.historical
    AND r.at >= json_extract(k.value, '$[1]') AND r.at < json_extract(k.value, '$[2]'))
"""
_TIMES_POSTGRES: Final = """
SELECT r.stream, r.seq, CAST(r.at AS text) FROM unnest(%s::text[], %s::bigint[]) AS k (stream, seq)
JOIN telemetry_record r ON r.robot_id = %s AND r.stream = k.stream AND r.seq = k.seq
"""
_TIMES_SQLITE: Final = """
SELECT r.stream, r.seq, r.at FROM json_each(%s) AS k
JOIN telemetry_record r ON r.robot_id = %s AND r.stream = json_extract(k.value, '$[0]') AND r.seq = json_extract(k.value, '$[1]')
"""


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers of a stream that are not there, and between which times they belong. `lost`: they will never come."""

    stream: str
    first: int
    last: int
    start: datetime
    end: datetime
    lost: bool

    @property
    def count(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1


@dataclass(slots=True)
class Cell:
    """A quarter of an hour. `count`: readings in it that hold the metric that was counted; `sign`: the worst that is so of it."""

    start: datetime
    count: int = 0
    sign: Sign = ""


@dataclass(frozen=True, slots=True)
class Day:
    """`cells`: oldest first. `holes`: those of the day, the newest first."""

    cells: list[Cell]
    holes: list[Hole] = field(default_factory=list)

    def count(self, *, lost: bool) -> int:
        """Numbers that are missing, or lost."""
        return sum(hole.count for hole in self.holes if hole.lost is lost)


def day(robot_id: str, metric: str, *, now: datetime) -> Day:
    """The 24 hours until now; readings are counted by the roll-ups of `metric`, one that every reading has."""
    end = int(now.timestamp() // CELL_S) + 1
    cells = [Cell(datetime.fromtimestamp((end - CELLS + number) * CELL_S, UTC)) for number in range(CELLS)]
    for bucket, count in _counts(robot_id, metric, cells[0].start, now):
        place = bucket - (end - CELLS)
        if 0 <= place < CELLS:
            cells[place].count, cells[place].sign = count, "whole"
    there = [cell for cell in cells if cell.sign]
    for number in late_of(robot_id, [(cell.start, cell.start + timedelta(seconds=CELL_S)) for cell in there]):
        there[number].sign = "late"
    holes = [hole for hole in holes_of(robot_id, now) if hole.end >= cells[0].start]
    for hole in sorted(holes, key=lambda hole: not hole.lost):
        for cell in cells:
            if cell.start <= hole.end and cell.start + timedelta(seconds=CELL_S) > hole.start:
                cell.sign = "lost" if hole.lost else "missing"
    return Day(cells, holes)


def _counts(robot_id: str, metric: str, start: datetime, end: datetime) -> list[tuple[int, int]]:
    if not metric:
        return []
    statement = _COUNTS_POSTGRES if on_postgres() else _COUNTS_SQLITE
    return [(int(bucket), int(count)) for bucket, count in ask(statement, [CELL_S, robot_id, metric, _moment(start), _moment(end)])]


def late_of(robot_id: str, spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """Places in `spans` (each without its end) of those into which something came late: one step in an index each."""
    if not spans:
        return []
    rows = [(number, _moment(start), _moment(until)) for number, (start, until) in enumerate(spans)]
    return sorted(int(row[0]) for row in ask(_LATE_POSTGRES if on_postgres() else _LATE_SQLITE, [*columns(rows, 3), robot_id]))


def holes_of(robot_id: str, now: datetime) -> list[Hole]:
    """The newest holes of a robot's streams that are not folded, newest first, with the times of what is stored beside them."""
    streams = Stream.objects.filter(robot_id=robot_id, folded_at=None, known_last__gt=0).exclude(stream__in=PLAIN_STREAMS)
    found: list[tuple[Stream, Range, bool]] = []
    # By what is no column: else PostgreSQL goes through all streams in their order, and not through the few that are open.
    newest_first = streams.alias(at=Coalesce("place", Value(0.0))).order_by("-at").defer("latest")
    for row in newest_first[:_STREAMS]:
        lacks = missing(Entry(row.have, row.dead, row.dropped, row.known_last))
        spans = [(span, False) for span in lacks] + [(span, True) for span in row.dropped]
        found += [(row, span, lost) for span, lost in sorted(spans, reverse=True)[:MOST_HOLES]]
    found = found[:MOST_HOLES]
    asked = [(row.stream, seq) for row, (first, last), _ in found for seq in (first - 1, last + 1)]
    times = _times(robot_id, asked)
    return [
        Hole(
            row.stream,
            first,
            last,
            times.get((row.stream, first - 1), row.first_received_at),
            times.get((row.stream, last + 1), min(now, row.last_received_at)),
            lost,
        )
        for row, (first, last), lost in found
    ]


def _times(robot_id: str, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], datetime]:
    if not keys:
        return {}
    rows = ask(_TIMES_POSTGRES if on_postgres() else _TIMES_SQLITE, [*columns(keys, 2), robot_id])
    return {(stream, int(seq)): moment(at) for stream, seq, at in rows}


def _moment(at: datetime) -> Any:
    return at if on_postgres() else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
