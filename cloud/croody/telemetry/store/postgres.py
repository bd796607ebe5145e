"""PostgreSQL: one statement locks, one writes records and ledger together, from one JSON parameter each; many records are copied."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from croody.telemetry.ingest.intake import Key, Row, heard_at
from croody.telemetry.ingest.ledger import Entry, counts
from croody.telemetry.models import Stream
from croody.telemetry.rows import of_row
from croody.telemetry.store.base import NEWEST, Held, Place, Span, ids_of, place_of
from croody_contract.ranges import Ranges

# A transaction that makes or moves a stream of a robot waits here for the others: places are told by looking at all streams.
_QUEUE: Final = """
SELECT pg_advisory_xact_lock(7210002, h) FROM (SELECT DISTINCT hashtext(r) AS h FROM unnest(%s::text[]) AS r ORDER BY h) AS robots
"""
_STREAMS_OF: Final = f"""
SELECT s.robot_id, s.stream FROM unnest(%s::text[]) AS k (robot_id) CROSS JOIN LATERAL (
    SELECT o.robot_id, o.stream FROM telemetry_stream o WHERE o.robot_id = k.robot_id AND o.folded_at IS NULL
    ORDER BY o.place DESC LIMIT {NEWEST}
) AS s
"""
_PRESENT: Final = """
SELECT s.robot_id, s.stream FROM telemetry_stream s
JOIN unnest(%s::text[], %s::text[]) AS k (robot_id, stream) ON s.robot_id = k.robot_id AND s.stream = k.stream
"""

_MAKE: Final = """
INSERT INTO telemetry_stream (robot_id, stream, place, have, dead, dropped, known_last, first_received_at, last_received_at)
SELECT robot_id, stream, 0, '{}', '{}', '{}', 0, %s, %s FROM unnest(%s::text[], %s::text[]) AS k (robot_id, stream)
ORDER BY robot_id COLLATE "C", stream COLLATE "C"
ON CONFLICT (robot_id, stream) DO NOTHING
RETURNING robot_id, stream
"""

_LOCK: Final = """
SELECT s.id, s.robot_id, s.stream, s.place, s.prev, s.prev_last, s.have::text, s.dead::text, s.dropped::text, s.known_last,
    s.missing_since, s.latest_seq, s.folded_at
FROM telemetry_stream s JOIN unnest(%s::text[], %s::text[]) AS k (robot_id, stream) ON s.robot_id = k.robot_id AND s.stream = k.stream
ORDER BY s.robot_id COLLATE "C", s.stream COLLATE "C"
FOR UPDATE OF s
"""

_HASHES: Final = """
SELECT r.robot_id, r.stream, r.seq, r.hash
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS k (robot_id, stream, first, last)
JOIN telemetry_record r ON r.robot_id = k.robot_id AND r.stream = k.stream AND r.seq BETWEEN k.first AND k.last
"""

_COLUMNS: Final = (
    "robot_id, stream, seq, kind, at, ts, received_at, clock_wrong, historical, hash, data, lat, lng, alt, environment, status"
)

#: How COPY spells what is not there, and the characters that mean something to it.
_NULL: Final = "\\N"
_NOWHERE: Final = f"{_NULL}\t{_NULL}\t{_NULL}"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
#: From so many rows on, COPY and its two more round trips take less time than the reading of a JSON parameter.
_WORTH_COPYING: Final = 100
_PART: Final = 250
_encoder: Final = msgspec.json.Encoder()
# The name of the sequence is looked up once: asked of each row, that takes four times as long as the number.
_IDS: Final = """
WITH made AS MATERIALIZED (SELECT pg_get_serial_sequence('telemetry_record', 'id')::regclass AS ids)
SELECT array_agg(nextval(made.ids)) FROM made, generate_series(1, %s)
"""
_COPY: Final = f"COPY telemetry_record (id, {_COLUMNS}) FROM STDIN"

# LIMIT says how many rows change: guessing a hundred, the planner reads a ledger of some thousand streams whole for one of them.
_WRITE: Final = f"""
WITH ins AS (
    INSERT INTO telemetry_record ({_COLUMNS})
    SELECT {_COLUMNS} FROM jsonb_to_recordset(%s::jsonb) AS r (
        robot_id text, stream text, seq bigint, kind text, at timestamptz, ts timestamptz, received_at timestamptz,
        clock_wrong boolean, historical boolean, hash text, data jsonb,
        lat double precision, lng double precision, alt double precision, environment text, status text)
    ON CONFLICT DO NOTHING
    RETURNING id, robot_id, stream, seq
), upd AS (
    UPDATE telemetry_stream s SET
        place = v.place, prev = v.prev, prev_last = v.prev_last,
        have = coalesce(v.have::int8multirange, s.have), dead = coalesce(v.dead::int8multirange, s.dead),
        dropped = coalesce(v.dropped::int8multirange, s.dropped), known_last = v.known_last,
        stored = v.stored, dead_count = v.dead_count, dropped_count = v.dropped_count, missing_count = v.missing_count, gaps = v.gaps,
        last_received_at = greatest(s.last_received_at, v.heard_at), counted_at = greatest(s.last_received_at, v.heard_at),
        missing_since = v.missing_since,
        latest_seq = v.latest_seq, latest_at = coalesce(v.latest_at, s.latest_at),
        latest_heard_at = coalesce(v.latest_heard_at, s.latest_heard_at),
        latest = CASE WHEN v.latest IS NULL THEN s.latest WHEN ins.id IS NULL THEN v.latest
            ELSE v.latest || jsonb_build_object('id', ins.id) END,
        folded_at = v.folded_at
    FROM (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS c (
        id bigint, robot_id text, stream text, place double precision, prev text, prev_last bigint,
        have text, dead text, dropped text, known_last bigint,
        stored bigint, dead_count bigint, dropped_count bigint, missing_count bigint, gaps bigint,
        heard_at timestamptz, missing_since timestamptz,
        latest_seq bigint, latest_at timestamptz, latest_heard_at timestamptz, latest jsonb, folded_at timestamptz) LIMIT %s) AS v
    LEFT JOIN ins ON ins.robot_id = v.robot_id AND ins.stream = v.stream AND ins.seq = v.latest_seq
    WHERE s.id = v.id
)
SELECT robot_id, stream, seq, id FROM ins WHERE stream = ANY(%s)
"""


class PostgresStore:
    """See `Store`."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def streams_of(self, robot_ids: Collection[str]) -> set[Key]:
        """See `Store`."""
        self._all(_QUEUE, [list(robot_ids)])
        return {(row[0], row[1]) for row in self._all(_STREAMS_OF, [list(robot_ids)])}

    def present(self, keys: Sequence[Key]) -> set[Key]:
        """See `Store`."""
        return {(row[0], row[1]) for row in self._all(_PRESENT, _parted(keys))} if keys else set()

    def lock(self, keys: Sequence[Key], make: Sequence[Key], now: datetime) -> dict[Key, Held]:
        """See `Store`."""
        made: set[Key] = set()
        if make:
            made = {(row[0], row[1]) for row in self._all(_MAKE, [now, now, *_parted(make)])}
        held = {}
        for row in self._all(_LOCK, _parted(keys)):
            entry = Entry(read_text(row[6]), read_text(row[7]), read_text(row[8]), row[9])
            held[(row[1], row[2])] = Held.of(row, entry, row[10:], new=(row[1], row[2]) in made)
        return held

    def hashes(self, spans: Sequence[Span]) -> Mapping[Place, str]:
        """See `Store`."""
        parts = [[span[index] for span in spans] for index in range(4)]
        return {(row[0], row[1], row[2]): row[3] for row in self._all(_HASHES, parts)}

    def write(
        self, rows: Sequence[Row], ledger: Sequence[Held], now: datetime, told: Collection[str] = (), *, careful: bool = False
    ) -> Mapping[Place, int]:
        """See `Store`."""
        ids: Mapping[Place, int] = {}
        if len(rows) >= _WORTH_COPYING and not careful:
            ids = self._copy(rows, [held.newest for held in ledger if held.newest is not None], told)
            rows = ()
        changes = [
            {
                "id": row.id,
                "robot_id": row.robot_id,
                "stream": row.stream,
                "place": row.place,
                "prev": row.prev,
                "prev_last": row.prev_last,
                "have": _changed(row.was.have, row.entry.have),
                "dead": _changed(row.was.dead, row.entry.dead),
                "dropped": _changed(row.was.dropped, row.entry.dropped),
                "known_last": row.entry.known_last,
                **dict(zip(Stream.COUNTS, counts(row.entry), strict=True)),
                "heard_at": now if row.heard else None,
                "missing_since": row.missing_since,
                "latest_seq": row.latest_seq,
                "latest_at": row.newest.at if row.newest is not None else None,
                "latest_heard_at": heard_at(row.newest) if row.newest is not None else None,
                "latest": of_row(row.newest, ids.get(place_of(row.newest))) if row.newest is not None else None,
                "folded_at": row.folded_at,
            }
            for row in ledger
        ]
        parameters = [msgspec.json.encode(rows).decode(), msgspec.json.encode(changes).decode(), len(changes), list(told)]
        return {**ids, **{(row[0], row[1], row[2]): row[3] for row in self._all(_WRITE, parameters)}}

    def _copy(self, rows: Sequence[Row], newest: Sequence[Row], told: Collection[str]) -> Mapping[Place, int]:
        """Insert many rows. Returns the ids of (at least) those in the streams `told` and those of `newest` that are among them."""
        taken = sorted(self._all(_IDS, [len(rows)])[0][0])
        with self._connection.wrap_database_errors, psycopg.Cursor(self._connection.connection) as cursor, cursor.copy(_COPY) as copy:
            # In parts: the server reads one while the next is written here.
            for at in range(0, len(rows), _PART):
                copy.write(_lines(rows[at : at + _PART], taken[at : at + _PART]))
        return ids_of(rows, taken, newest, told)

    def _all(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        # Django's own cursor writes parameters into the text of the statement; these are long, and travel better beside it.
        self._connection.ensure_connection()
        with self._connection.wrap_database_errors, psycopg.Cursor(self._connection.connection) as cursor:
            cursor.execute(statement, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found


def _parted(keys: Sequence[Key]) -> list[list[str]]:
    return [[key[0] for key in keys], [key[1] for key in keys]]


def _lines(rows: Sequence[Row], ids: Sequence[int]) -> str:
    """Rows as COPY takes them."""
    # Words are few, and moments of receipt often the same: each is written once.
    words: dict[str | None, str] = {None: _NULL}
    received_at: datetime | None = None
    received = ""
    # JSON never holds a line break; of its characters only the backslash means something to COPY.
    data = _encoder.encode_lines([row.data for row in rows]).replace(b"\\", b"\\\\").decode().split("\n")
    said = _encoder.encode_lines([row.ts for row in rows]).decode().replace('"', "").replace("null", _NULL).split("\n")
    out = []
    for record_id, text, ts, row in zip(ids, data, said, rows, strict=False):
        if row.received_at is not received_at:
            received_at, received = row.received_at, row.received_at.isoformat()
        at = ts if row.at is row.ts else received if row.at is received_at else row.at.isoformat()
        place = _NOWHERE
        if row.lat is not None or row.lng is not None or row.alt is not None:
            place = "\t".join(_NULL if part is None else repr(part) for part in (row.lat, row.lng, row.alt))
        environment, status = row.environment, row.status
        if environment not in words:
            words[environment] = _escaped(environment)
        if status not in words:
            words[status] = _escaped(status)
        out.append(
            f"{record_id}\t{row.robot_id}\t{row.stream}\t{row.seq}\t{row.kind}\t{at}\t{ts}\t{received}\t{row.clock_wrong}"
            f"\t{row.historical}\t{row.hash}\t{text}\t{place}\t{words[environment]}\t{words[status]}\n"
        )
    return "".join(out)


def _escaped(text: str | None) -> str:
    return (text or "").translate(_ESCAPES)


def _changed(before: Ranges, after: Ranges) -> str | None:
    """What is written of a set of numbers: nothing where it is as it was. The server takes long to read a long one."""
    return None if before == after else write_text(after)


def read_text(text: str) -> Ranges:
    """An `int8multirange` as the server writes it, `{[1,5),[7,9)}`, whose ends are half-open."""
    if text == "{}":
        return ()
    pairs = (pair.split(",") for pair in text[2:-2].split("),["))
    return tuple((int(first), int(end) - 1) for first, end in pairs)


def write_text(ranges: Ranges) -> str:
    """The inverse of `read_text`."""
    return "{" + ",".join(f"[{first},{last + 1})" for first, last in ranges) + "}"
