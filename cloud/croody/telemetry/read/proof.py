"""What became of everything that a robot numbered in a period, stream by stream: from the ledger, never by counting readings.

The ledger knows numbers and no times. The first and the last numbered record whose time lies in the period say from which number of
which stream to which it reaches; all numbers between them are accounted for, those that never came as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.models import Stream
from croody.telemetry.read.sql import ask, on_postgres
from croody.telemetry.rows import moment
from croody_contract import ranges
from croody_contract.ranges import Ranges
from croody_contract.topics import PLAIN_STREAMS

#: Streams that are read together.
PAGE: Final = 500
_EDGE: Final = """
SELECT stream, seq, CAST(at AS text) FROM telemetry_record
WHERE robot_id = %s AND at >= %s AND at < %s AND stream NOT IN ('http', 'mqtt') ORDER BY at {way}, seq {way} LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Edge:
    """A numbered record at one end of the period."""

    stream: str
    seq: int
    at: datetime
    place: float


@dataclass(frozen=True, slots=True)
class Line:
    """A stream between two of its numbers, both included: each number between them is in exactly one of the four sets."""

    stream: str
    first: int
    last: int
    stored: Ranges
    dead: Ranges
    dropped: Ranges
    missing: Ranges

    @property
    def expected(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all lines together."""

    streams: int = 0
    expected: int = 0
    stored: int = 0
    dead: int = 0
    dropped: int = 0
    missing: int = 0

    def plus(self, line: Line) -> "Sums":
        """With one more."""
        return Sums(
            self.streams + 1,
            self.expected + line.expected,
            self.stored + ranges.count(line.stored),
            self.dead + ranges.count(line.dead),
            self.dropped + ranges.count(line.dropped),
            self.missing + ranges.count(line.missing),
        )


def edges(robot_id: str, since: datetime, until: datetime) -> tuple[Edge, Edge] | None:
    """The first and the last numbered record of the period, `until` excluded. None: nothing that was numbered is stored of it."""
    if not _numbered(robot_id).exists():
        return None
    found = []
    for way in ("ASC", "DESC"):
        rows = ask(_EDGE.format(way=way), [robot_id, _moment(since), _moment(until)])
        if not rows:
            return None
        stream, seq, at = rows[0]
        place = Stream.objects.filter(robot_id=robot_id, stream=stream).values_list("place", flat=True).first()
        found.append(Edge(stream, int(seq), moment(at), float(place or 0)))
    # A robot's clock may go back: the order of streams and numbers is the ledger's.
    first, last = sorted(found, key=lambda edge: (edge.place, edge.stream, edge.seq))
    return first, last


def lines(robot_id: str, first: Edge, last: Edge) -> Iterator[Line]:
    """Every stream from one edge to the other, in the robot's order; read so many at a time, however many there are."""
    after: tuple[float, int] | None = None
    while True:
        rows = _numbered(robot_id).filter(place__gte=first.place, place__lte=last.place).order_by("place", "pk").defer("latest")
        if after is not None:
            rows = rows.filter(place__gte=after[0]).exclude(place=after[0], pk__lte=after[1])
        some = list(rows[:PAGE])
        for row in some:
            begin = first.seq if row.stream == first.stream else 1
            end = last.seq if row.stream == last.stream else row.known_last
            if begin <= end:
                yield _line(row, begin, end)
        if len(some) < PAGE:
            return
        after = (some[-1].place, some[-1].pk)


def _line(row: Stream, begin: int, end: int) -> Line:
    span: Ranges = ((begin, end),)
    lacks = missing(Entry(row.have, row.dead, row.dropped, row.known_last))
    return Line(row.stream, begin, end, *(ranges.intersect(span, one) for one in (row.have, row.dead, row.dropped, lacks)))


def _numbered(robot_id: str) -> Any:
    return Stream.objects.filter(robot_id=robot_id, known_last__gt=0).exclude(stream__in=PLAIN_STREAMS)


def _moment(at: datetime) -> Any:
    return at if on_postgres() else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
