"""The newest reading of a robot: the one place that decides which it is. One step in an index, whatever the robot has behind it.

An agent's readings are ordered by (place of the stream, seq). Readings that came without a stream are numbered at their
receipt, and stand beside an agent's by when each was heard: never by a robot's clock. What an earlier robot of the same name said is
nobody's newest.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from croody.fleet.queries import returned
from croody.telemetry.read.sql import ask, listed, on_postgres, sliced
from croody.telemetry.rows import moment

#: Times as text: the drivers' own way to read them takes ten times as long.
_COLUMNS: Final = (
    "t.robot_id, t.stream, t.latest_seq, CAST(t.latest_at AS text), CAST(coalesce(t.latest_heard_at, t.last_received_at) AS text), {what}"
)
_PLAIN: Final = "t.stream IN ('http', 'mqtt') AND t.latest_seq IS NOT NULL"
_POSTGRES: Final = f"""
SELECT s.* FROM unnest(%s::text[]) AS k (robot_id) CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM telemetry_stream t WHERE t.robot_id = k.robot_id AND t.has_readings ORDER BY t.place DESC LIMIT 1
) AS s
UNION ALL
SELECT {_COLUMNS} FROM telemetry_stream t WHERE t.robot_id = ANY(%s) AND {_PLAIN}
"""
_SQLITE: Final = f"""
SELECT {_COLUMNS} FROM json_each(%s) AS k CROSS JOIN telemetry_stream t ON t.id = (
    SELECT s.id FROM telemetry_stream s WHERE s.robot_id = k.value AND s.has_readings ORDER BY s.place DESC LIMIT 1
)
UNION ALL
SELECT {_COLUMNS} FROM json_each(%s) AS k CROSS JOIN telemetry_stream t ON t.robot_id = k.value AND {_PLAIN}
"""


class Newest(NamedTuple):
    """`at`: its effective time; `heard_at`: when it counts as said, by the cloud's clock; `row`: JSON as the API shows a row.

    `beside`: the robot also sends readings the other way, so its trail is mixed.
    """

    robot_id: str
    stream: str
    seq: int
    at: datetime
    heard_at: datetime
    row: str
    beside: bool = False


def newest_of(robot_ids: Collection[str]) -> dict[str, Newest]:
    """The newest reading of each robot that has one, from the ledger alone: its row may be past retention."""
    return _newest_of(robot_ids, "t.latest")


def stored_of(robot_ids: Collection[str]) -> dict[str, Newest]:
    """As `newest_of`; `row` says which numbers the stream has stored, `@`, and the id of the newest reading. Empty where that is long."""
    if on_postgres():
        what = "CASE WHEN pg_column_size(t.have) < 400 THEN concat(t.have::text, '@', t.latest ->> 'id') ELSE '' END"
    else:
        what = "CASE WHEN length(t.have) < 400 THEN t.have || '@' || json_extract(t.latest, '$.id') ELSE '' END"
    return _newest_of(robot_ids, what)


def words_of(robot_ids: Collection[str]) -> dict[str, str | None]:
    """Of each robot that has a reading, what the newest one says the robot does: all that liveness needs of it."""
    what = "t.latest ->> 'status'" if on_postgres() else "json_extract(t.latest, '$.status')"
    return {robot_id: one.row for robot_id, one in _newest_of(robot_ids, what).items()}


def _newest_of(robot_ids: Collection[str], what: str) -> dict[str, Newest]:
    statement = (_POSTGRES if on_postgres() else _SQLITE).replace("{what}", what)
    found: dict[str, Newest] = {}
    back = returned(set(robot_ids))
    for some in sliced(sorted(robot_ids)):
        for row in ask(statement, [listed(some)] * 2):
            robot_id, stream, seq, at, heard_at, shown = row
            one = Newest(robot_id, stream, seq, moment(at), moment(heard_at), shown)
            if one.robot_id in back and one.heard_at < back[one.robot_id]:
                continue
            before = found.get(one.robot_id)
            if before is not None:
                one = max(before, one, key=lambda each: each.heard_at)._replace(beside=True)
            found[one.robot_id] = one
    return found
