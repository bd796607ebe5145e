"""The audit: SQL of its own against the tables, independent of the product's API and models, held against the witness."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tools.chaos.witness import Key, Witness

#: The database cannot be asked now.
UNREACHABLE = (sqlite3.OperationalError, psycopg.OperationalError)
#: Streams that the cloud numbers itself.
PLAIN = ("http", "mqtt")


@dataclass(slots=True)
class Books:
    """What the databases hold of some robots."""

    records: dict[Key, str] = field(default_factory=dict)
    doubled: list[Key] = field(default_factory=list)
    dead: set[Key] = field(default_factory=set)
    dropped: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=dict)
    missing: list[tuple[str, str, int, int]] = field(default_factory=list)
    have: set[Key] = field(default_factory=set)
    open_requests: int = 0

    def is_dropped(self, key: Key) -> bool:
        """Whether the ledger has booked a key as dropped."""
        return any(first <= key[2] <= last for first, last in self.dropped.get(key[:2], ()))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`faults` are sentences about what must never happen; empty when all is well."""

    published: int
    stored: int
    dead: int
    dropped: int
    lost: int
    doubled: int
    faults: tuple[str, ...]


class Database:
    """Both URLs of a stack (main, telemetry), read with a connection of our own each time."""

    def __init__(self, urls: tuple[str, str]) -> None:
        self._urls = urls

    def query(self, sql: str, parameters: Sequence[Any] = (), *, telemetry: bool = True) -> list[tuple[Any, ...]]:
        """Rows of a query; `?` marks a parameter.

        Raises:
            sqlite3.Error, psycopg.Error: the database cannot be asked now.
        """
        url = self._urls[1 if telemetry else 0]
        if url.startswith("sqlite:///"):
            connection = sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=30)
            try:
                return connection.execute(sql, parameters).fetchall()
            finally:
                connection.close()
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as server:
            return server.execute(sql.replace("?", "%s").encode(), parameters).fetchall()

    @property
    def is_sqlite(self) -> bool:
        """Whether ranges are kept as JSON text."""
        return self._urls[1].startswith("sqlite")


def accounted(database: Database, keys: Iterable[Key]) -> set[Key]:
    """Those of `keys` that are stored, dead or dropped now: what recovery is measured with."""
    wanted = set(keys)
    streams = sorted({key[1] for key in wanted})
    if not streams:
        return set()
    books = read(database, "stream", streams)
    return {key for key in wanted if key in books.records or key in books.dead or books.is_dropped(key)}


def read(database: Database, column: str, values: Sequence[str]) -> Books:
    """Everything whose `column` (`robot_id` or `stream`) is one of `values`."""
    books = Books()
    these = f"{column} IN ({','.join('?' * len(values))})"
    rows = database.query(f"SELECT robot_id, stream, seq, hash FROM telemetry_record WHERE {these}", values)
    books.doubled = [key for key, count in Counter((row[0], row[1], row[2]) for row in rows).items() if count > 1]
    books.records = {(row[0], row[1], row[2]): row[3] for row in rows}
    letters = f"SELECT robot_id, stream, first, last FROM telemetry_deadletter WHERE stream <> '' AND {these}"
    for robot_id, stream, first, last in database.query(letters, values):
        books.dead.update((robot_id, stream, seq) for seq in range(first, min(last, first + 10_000) + 1))
    ledger = f"SELECT robot_id, stream, known_last, {_sets(database)} FROM telemetry_stream WHERE {these}"
    for robot_id, stream, known_last, *texts in database.query(ledger, values):
        have, dead, dropped = (sorted((first, last) for first, last in json.loads(text)) for text in texts)
        books.have.update((robot_id, stream, seq) for first, last in have for seq in range(first, last + 1))
        books.dropped[(robot_id, stream)] = dropped
        if stream not in PLAIN:
            books.missing += [(robot_id, stream, *gap) for gap in _gaps(known_last, [*have, *dead, *dropped])]
    return books


def open_requests(database: Database, robots: Sequence[str]) -> int:
    """Re-requests that a robot may still answer."""
    these = f"robot_id IN ({','.join('?' * len(robots))})"
    sql = (
        f"SELECT count(*) FROM fleet_outgoing WHERE kind = 'resend' AND answered_at IS NULL AND expires_at > CURRENT_TIMESTAMP AND {these}"
    )
    return int(database.query(sql, robots, telemetry=False)[0][0])


def judge(witness: Witness, books: Books, *, may_be_dead: bool = False, may_be_dropped: bool = False) -> Verdict:
    """Hold the books against the witness."""
    seen = witness.hashes
    stored = {key for key in seen if key in books.records}
    dead = {key for key in seen if key in books.dead} - stored
    dropped = {key for key in seen if books.is_dropped(key)} - stored - dead
    lost = seen.keys() - stored - dead - dropped
    changed = [key for key in stored if books.records[key] != seen[key]]
    faults = []
    if lost:
        faults.append(f"{len(lost)} readings are lost, the first {min(lost)}")
    if books.doubled:
        faults.append(f"{len(books.doubled)} keys are stored more than once, the first {books.doubled[0]}")
    if changed:
        faults.append(f"{len(changed)} readings are stored with other bytes than were published, the first {changed[0]}")
    if witness.clashes:
        faults.append(f"{len(witness.clashes)} keys were used twice at the source, the first {witness.clashes[0]}")
    if dead and not may_be_dead:
        faults.append(f"{len(dead)} good readings became dead letters, the first {min(dead)}")
    if dropped and not may_be_dropped:
        faults.append(f"{len(dropped)} readings were dropped although nothing was at its limit, the first {min(dropped)}")
    if books.missing:
        faults.append(f"the ledger misses records in {len(books.missing)} places, the first {books.missing[0]}")
    if difference := {key for key in books.have ^ books.records.keys() if key[1] not in PLAIN}:
        faults.append(f"ledger and records differ in {len(difference)} keys, the first {min(difference)}")
    if books.open_requests:
        faults.append(f"{books.open_requests} re-requests are still open")
    return Verdict(len(seen), len(stored), len(dead), len(dropped), len(lost), len(books.doubled), tuple(faults))


def _sets(database: Database) -> str:
    if database.is_sqlite:
        return "have, dead, dropped"
    pairs = "(SELECT coalesce(json_agg(json_build_array(lower(r), upper(r) - 1)), '[]')::text FROM unnest({0}) AS r)"
    return ", ".join(pairs.format(name) for name in ("have", "dead", "dropped"))


def _gaps(known_last: int, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What of 1..known_last is in none of the ranges."""
    gaps, after = [], 1
    for first, last in sorted(ranges):
        if first > after:
            gaps.append((after, min(first - 1, known_last)))
        after = max(after, last + 1)
    return [*gaps, (after, known_last)] if after <= known_last else gaps
