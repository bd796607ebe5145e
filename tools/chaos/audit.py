"""The audit: SQL of its own against the tables, independent of the product's API and models, held against the witness."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tools.chaos.witness import Key, Witness

#: Streams that the cloud numbers itself.
PLAIN = ("http", "mqtt")


@dataclass(slots=True)
class Books:
    """What the databases hold of some robots."""

    records: dict[Key, str] = field(default_factory=dict)
    doubled: list[Key] = field(default_factory=list)
    dead: set[Key] = field(default_factory=set)
    dropped: set[Key] = field(default_factory=set)
    missing: list[tuple[str, str, int, int]] = field(default_factory=list)
    have: set[Key] = field(default_factory=set)
    open_requests: int = 0


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


def accounted(database: Database, robots: Iterable[str]) -> set[Key]:
    """Keys that are stored, dead or dropped now: what recovery is measured with."""
    books = read(database, list(robots))
    return books.records.keys() | books.dead | books.dropped


def read(database: Database, robots: list[str]) -> Books:
    """Everything about these robots."""
    books = Books()
    marks = ",".join("?" * len(robots))
    rows = database.query(f"SELECT robot_id, stream, seq, hash FROM telemetry_record WHERE robot_id IN ({marks})", robots)
    books.doubled = [key for key, count in Counter((row[0], row[1], row[2]) for row in rows).items() if count > 1]
    books.records = {(row[0], row[1], row[2]): row[3] for row in rows}
    letters = f"SELECT robot_id, stream, first, last FROM telemetry_deadletter WHERE stream <> '' AND robot_id IN ({marks})"
    for robot_id, stream, first, last in database.query(letters, robots):
        books.dead.update((robot_id, stream, seq) for seq in range(first, min(last, first + 10_000) + 1))
    ledger = f"SELECT robot_id, stream, known_last, {_sets(database)} FROM telemetry_stream WHERE robot_id IN ({marks})"
    for robot_id, stream, known_last, have, dead, dropped in database.query(ledger, robots):
        sets = [set(_members(text)) for text in (have, dead, dropped)]
        books.have.update((robot_id, stream, seq) for seq in sets[0])
        books.dropped.update((robot_id, stream, seq) for seq in sets[2])
        gone = set(range(1, known_last + 1)) - sets[0] - sets[1] - sets[2]
        if gone and stream not in PLAIN:
            books.missing.append((robot_id, stream, min(gone), len(gone)))
    requests = "SELECT count(*) FROM fleet_outgoing WHERE kind = 'resend' AND answered_at IS NULL AND expires_at > CURRENT_TIMESTAMP"
    books.open_requests = database.query(f"{requests} AND robot_id IN ({marks})", robots, telemetry=False)[0][0]
    return books


def judge(witness: Witness, books: Books, *, may_be_dead: bool = False, may_be_dropped: bool = False) -> Verdict:
    """Hold the books against the witness."""
    seen = witness.hashes
    stored = {key for key in seen if key in books.records}
    dead = {key for key in seen if key in books.dead} - stored
    dropped = {key for key in seen if key in books.dropped} - stored - dead
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
        faults.append(f"the ledger misses records in {len(books.missing)} streams, the first {books.missing[0]}")
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


def _members(text: str) -> Iterable[int]:
    for first, last in json.loads(text):
        yield from range(first, last + 1)
