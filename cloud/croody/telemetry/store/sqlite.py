"""SQLite: the transaction owns the database from its start (`IMMEDIATE`), so nothing needs a lock of its own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import msgspec
from django.db.backends.base.base import BaseDatabaseWrapper

from croody.telemetry.ingest.intake import Key, Row, heard_at
from croody.telemetry.ingest.ledger import Entry, counts
from croody.telemetry.ranges_field import read_ranges, write_ranges
from croody.telemetry.rows import aware, of_row
from croody.telemetry.store.base import NEWEST, Held, Place, Span, ids_of, place_of

_MAKE: Final = """
INSERT INTO telemetry_stream (robot_id, stream, place, have, dead, dropped, known_last, first_received_at, last_received_at)
VALUES (%s, %s, 0, '[]', '[]', '[]', 0, %s, %s) ON CONFLICT (robot_id, stream) DO NOTHING
"""

# Key by key: for `(robot_id, stream) IN (VALUES ...)` with more than one of them SQLite reads the whole ledger.
_OF_KEYS: Final = """
FROM json_each(%s) AS k CROSS JOIN telemetry_stream s
ON s.robot_id = json_extract(k.value, '$[0]') AND s.stream = json_extract(k.value, '$[1]')
"""
_READ: Final = f"""
SELECT s.id, s.robot_id, s.stream, s.place, s.prev, s.prev_last, s.have, s.dead, s.dropped, s.known_last,
    s.missing_since, s.latest_seq, s.folded_at {_OF_KEYS}
"""
_STREAMS_OF: Final = f"""
SELECT s.robot_id, s.stream FROM json_each(%s) AS k CROSS JOIN telemetry_stream s ON s.id IN (
    SELECT o.id FROM telemetry_stream o WHERE o.robot_id = k.value AND o.folded_at IS NULL ORDER BY o.place DESC LIMIT {NEWEST}
)
"""
_PRESENT: Final = f"SELECT s.robot_id, s.stream {_OF_KEYS}"

_HASHES: Final = "SELECT robot_id, stream, seq, hash FROM telemetry_record WHERE robot_id = %s AND stream = %s AND seq BETWEEN %s AND %s"

_COLUMNS: Final = (
    "id", "robot_id", "stream", "seq", "kind", "at", "received_at", "clock_wrong", "historical", "hash", "data",
    "ts", "lat", "lng", "alt", "environment", "status",
)  # fmt: skip
#: The last of them are a place and two words, which most rows have all of, or none.
_PLACE: Final = 3
_WORDS: Final = 2

_CHANGE: Final = """
UPDATE telemetry_stream SET place = %s, prev = %s, prev_last = %s, have = %s, dead = %s, dropped = %s, known_last = %s,
    stored = %s, dead_count = %s, dropped_count = %s, missing_count = %s, gaps = %s,
    last_received_at = max(last_received_at, coalesce(%s, last_received_at)),
    counted_at = max(last_received_at, coalesce(%s, last_received_at)), missing_since = %s,
    latest_seq = %s, latest_at = coalesce(%s, latest_at), latest_heard_at = coalesce(%s, latest_heard_at),
    latest = coalesce(%s, latest), folded_at = %s
WHERE id = %s
"""
_encoder: Final = msgspec.json.Encoder()
#: Whether rows hold no place, and no words.
Bare = tuple[bool, bool]


class SqliteStore:
    """See `Store`."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def streams_of(self, robot_ids: Collection[str]) -> set[Key]:
        """See `Store`."""
        return {(row[0], row[1]) for row in self._all(_STREAMS_OF, [_listed(sorted(robot_ids))])}

    def lock(self, keys: Sequence[Key], make: Sequence[Key], now: datetime) -> dict[Key, Held]:
        """See `Store`."""
        made = set(make) - self.present(make)
        moment = write_moment(now)
        with self._connection.cursor() as cursor:
            cursor.executemany(_MAKE, [(*key, moment, moment) for key in sorted(made)])
        held = {}
        for row in self._all(_READ, [_listed(keys)]):
            entry = Entry(read_ranges(row[6]), read_ranges(row[7]), read_ranges(row[8]), row[9])
            rest = [aware(value) if isinstance(value, datetime) else value for value in row[10:]]
            held[(row[1], row[2])] = Held.of(row, entry, rest, new=(row[1], row[2]) in made)
        return held

    def hashes(self, spans: Sequence[Span]) -> Mapping[Place, str]:
        """See `Store`."""
        return {(row[0], row[1], row[2]): row[3] for span in spans for row in self._all(_HASHES, span)}

    def write(
        self, rows: Sequence[Row], ledger: Sequence[Held], now: datetime, told: Collection[str] = (), *, careful: bool = False
    ) -> Mapping[Place, int]:
        """See `Store`."""
        first_id = self._next_id() if rows else 0
        newest = [held.newest for held in ledger if held.newest is not None]
        ids = ids_of(rows, range(first_id, first_id + len(rows)), newest, told)
        with self._connection.cursor() as cursor:
            if rows:
                for bare, values in _values(rows, first_id).items():
                    cursor.executemany(_insert(bare), values)
            cursor.executemany(_CHANGE, [_change(row, ids, now) for row in ledger])
        return ids

    def present(self, keys: Sequence[Key]) -> set[Key]:
        """See `Store`."""
        return {(row[0], row[1]) for row in self._all(_PRESENT, [_listed(keys)])} if keys else set()

    def _next_id(self) -> int:
        rows = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'telemetry_record'", [])
        return int(rows[0][0]) + 1 if rows else 1

    def _all(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found


@cache
def _insert(bare: Bare) -> str:
    """The statement for such rows."""
    no_place, no_words = bare
    places = ["%s"] * (len(_COLUMNS) - _PLACE - _WORDS) + ["NULL" if no_place else "%s"] * _PLACE + ["NULL" if no_words else "%s"] * _WORDS
    return f"INSERT INTO telemetry_record ({', '.join(_COLUMNS)}) VALUES ({', '.join(places)}) ON CONFLICT DO NOTHING"


def _values(rows: Sequence[Row], first_id: int) -> dict[Bare, list[tuple[Any, ...]]]:
    """What `_insert` takes, by what rows do not hold: Python's driver needs longer for a None, or a bool, than for a text.

    Times are written once where they are the same: writing them costs more than writing the data.
    """
    out: dict[Bare, list[tuple[Any, ...]]] = {}
    received_at: datetime | None = None
    received = ""
    # JSON never holds a line break.
    data = _encoder.encode_lines([row.data for row in rows]).decode().split("\n")
    said = _encoder.encode_lines([row.ts for row in rows]).decode().replace('"', "").replace("T", " ").replace("Z", "").split("\n")
    for record_id, (row, text, spoken) in enumerate(zip(rows, data, said, strict=False), start=first_id):
        if row.received_at is not received_at:
            received_at, received = row.received_at, write_moment(row.received_at)
        ts = spoken if row.ts is not None else None
        at = ts if row.at is row.ts else received if row.at is received_at else write_moment(row.at)
        flags = int(row.clock_wrong), int(row.historical)
        values: tuple[Any, ...] = (record_id, row.robot_id, row.stream, row.seq, row.kind, at, received, *flags, row.hash, text, ts)
        no_place = row.lat is None and row.lng is None and row.alt is None
        no_words = row.environment is None and row.status is None
        if not no_place:
            values += (row.lat, row.lng, row.alt)
        if not no_words:
            values += (row.environment, row.status)
        out.setdefault((no_place, no_words), []).append(values)
    return out


def _change(row: Held, ids: Mapping[Place, int], now: datetime) -> tuple[Any, ...]:
    newest = row.newest
    latest = of_row(newest, ids.get(place_of(newest))) if newest is not None else None
    heard = write_moment(now) if row.heard else None
    return (
        row.place,
        row.prev,
        row.prev_last,
        write_ranges(row.entry.have, "sqlite"),
        write_ranges(row.entry.dead, "sqlite"),
        write_ranges(row.entry.dropped, "sqlite"),
        row.entry.known_last,
        *counts(row.entry),
        heard,
        heard,
        row.missing_since and write_moment(row.missing_since),
        row.latest_seq,
        write_moment(newest.at) if newest is not None else None,
        write_moment(heard_at(newest)) if newest is not None else None,
        msgspec.json.encode(latest).decode() if latest is not None else None,
        row.folded_at and write_moment(row.folded_at),
        row.id,
    )


def write_moment(moment: datetime) -> str:
    """As Django writes a moment on SQLite: UTC, without offset."""
    text = moment.isoformat(" ")
    return text[:-6] if text.endswith("+00:00") else str(moment.astimezone(UTC).replace(tzinfo=None))


def _listed(values: Sequence[Any]) -> str:
    """A list as one parameter, for `json_each`."""
    return msgspec.json.encode(values).decode()
