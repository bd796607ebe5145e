"""Records of robots from one time to another, in an order that never changes: by robot, time and number. Reads a page at a time.

Nothing is held between two pages, so it takes as long as its reader does; `as_of` says until when a record must have been received, so
that whoever goes on later gets what they would have got then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from croody.telemetry.models import Record
from croody.telemetry.read.events import moment_of
from croody.telemetry.read.sql import ask, on_postgres
from croody.telemetry.rows import moment
from croody_contract.limits import KIB

Kind = Literal["reading", "told"]
#: Rows of a page: as many as make about so many bytes.
_LEAST: Final = 100
_MOST: Final = 5000
_BYTES: Final = 512 * KIB
_COLUMNS: Final = (
    "id, kind, CAST(at AS text), CAST(ts AS text), CAST(received_at AS text), stream, seq, {data}, lat, lng, alt, environment, status"
)
_KINDS: Final = {"reading": "kind = 'reading'", "told": "kind NOT IN ('reading', 'window')"}
_PAGE: Final = """
SELECT {columns} FROM telemetry_record WHERE robot_id = %s AND at >= %s AND at < %s AND {kinds} AND received_at <= %s
    AND (at > %s OR id > %s)
ORDER BY at, id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """One record. `data` is JSON text: of a reading its metrics, else every field but kind and ts."""

    number: int
    robot_id: str
    kind: str
    at: datetime
    ts: datetime | None
    received_at: datetime
    stream: str
    seq: int
    data: str
    lat: float | None
    lng: float | None
    alt: float | None
    environment: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is in an export: what comes after this record of this robot."""

    robot_id: str
    at: datetime
    number: int


def place_of(number: int, robot_ids: Sequence[str]) -> Place | None:
    """The place of a record that is still there and is one of these robots'."""
    found = Record.objects.filter(pk=number, robot_id__in=list(robot_ids)).values_list("robot_id", "at").first()
    return Place(found[0], found[1], number) if found is not None else None


def pages(
    kind: Kind, robot_ids: Sequence[str], start: datetime, end: datetime, *, as_of: datetime, after: Place | None = None
) -> Iterator[list[Exported]]:
    """All records from `start` to `end` (not in it), so many at a time."""
    statement = _PAGE.format(columns=_COLUMNS.format(data="CAST(data AS text)" if on_postgres() else "data"), kinds=_KINDS[kind])
    size = _LEAST
    for robot_id in sorted(set(robot_ids)):
        if after is not None and robot_id < after.robot_id:
            continue
        at, number = (after.at, after.number) if after is not None and robot_id == after.robot_id else (start, 0)
        while True:
            moments = [moment_of(one) for one in (max(at, start), end, as_of, at)]
            rows = [_of(robot_id, row) for row in ask(statement, [robot_id, *moments, number, size])]
            if rows:
                yield rows
                at, number = rows[-1].at, rows[-1].number
            if len(rows) < size:
                break
            size = max(_LEAST, min(_MOST, size * _BYTES // max(1, sum(len(row.data) + 200 for row in rows))))


def _of(robot_id: str, row: tuple[Any, ...]) -> Exported:
    number, kind, at, ts, received_at, *rest = row
    return Exported(number, robot_id, kind, moment(at), moment(ts) if ts is not None else None, moment(received_at), *rest)
