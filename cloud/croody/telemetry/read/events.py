"""What a robot said beside its readings: starts, events, tombstones, lines of its log.

Newest first, by an index of their own: readings cost nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from croody.telemetry.read.sql import ask, on_postgres
from croody.telemetry.rows import moment

#: Rows of one answer.
MOST: Final = 201
_COLUMNS: Final = "id, kind, CAST(at AS text), CAST(received_at AS text), stream, seq, historical, {data}"
#: As the index says it: else no database finds that it fits.
_TOLD: Final = """
SELECT {columns} FROM telemetry_record
WHERE robot_id = %s AND kind IN ('born', 'event', 'tombstone', 'log') AND at <= %s AND at >= %s{behind} ORDER BY at DESC, id DESC LIMIT %s
"""
_BORN: Final = """
SELECT {columns} FROM telemetry_record WHERE robot_id = %s AND seq = 1 AND kind = 'born' AND stream = (
    SELECT stream FROM telemetry_stream WHERE robot_id = %s AND has_readings ORDER BY place DESC LIMIT 1
) LIMIT 1
"""
_BEHIND: Final = " AND (at < %s OR id < %s)"
FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """A record that is no reading. `at`: its effective time; `late`: it came as backlog; `data`: every field but kind and ts."""

    number: int
    kind: str
    at: datetime
    received_at: datetime
    stream: str
    seq: int
    late: bool
    data: dict[str, Any]


def told(
    robot_id: str, *, until: datetime, since: datetime = FIRST, limit: int = 50, behind: tuple[datetime, int] | None = None
) -> list[Told]:
    """At most `limit` of a robot's records between two times, both included, the newest first.

    `behind`: time and number of the last one that is known, for those that come after it.
    """
    parameters = [robot_id, moment_of(min(until, behind[0]) if behind else until), moment_of(since)]
    if behind:
        parameters += [moment_of(behind[0]), behind[1]]
    rows = ask(_TOLD.format(columns=_columns(), behind=_BEHIND if behind else ""), [*parameters, min(limit, MOST)])
    return [_of(row) for row in rows]


def born(robot_id: str) -> Told | None:
    """The first record of the stream that has its newest readings; None when it runs no agent of ours, or that is past retention."""
    rows = ask(_BORN.format(columns=_columns()), [robot_id, robot_id])
    return _of(rows[0]) if rows else None


def _columns() -> str:
    return _COLUMNS.format(data="CAST(data AS text)" if on_postgres() else "data")


def _of(row: tuple[Any, ...]) -> Told:
    number, kind, at, received_at, stream, seq, late, data = row
    return Told(number, kind, moment(at), moment(received_at), stream, seq, bool(late), msgspec.json.decode(data))


def moment_of(at: datetime) -> Any:
    """A time as the database compares it with its own."""
    return at if on_postgres() else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
