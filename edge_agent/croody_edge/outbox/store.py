"""Rows of the outbox in one SQLite file (WAL, `synchronous=FULL`). Knows SQL and which bytes can be trusted.

Knows no policy: what to thin, when to send and what a damaged file means is decided by `limit`, `drain` and `rescue`.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from croody_contract import ranges
from croody_contract.ranges import Ranges
from croody_edge.outbox.keys import TOP_SEQ, Row, StreamRow, checksum, key_of, place_of, sound

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stream(
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, prev TEXT, prev_last INTEGER, top INTEGER NOT NULL, removed INTEGER NOT NULL
);
CREATE TABLE record(key INTEGER PRIMARY KEY, low INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE note(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE answered(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE dead(key INTEGER PRIMARY KEY, reason TEXT NOT NULL, body BLOB NOT NULL);
"""


class Damaged(Exception):
    """Bytes in the file are not the bytes that were written, or are not there at all."""


class Foreign(Exception):
    """The file belongs to another robot. `args[0]` is its robot_id."""


class TooNew(Exception):
    """A later version of the agent wrote this file."""


def connect(path: Path, *, read_only: bool = False, immutable: bool = False) -> sqlite3.Connection:
    """A connection without Python's implicit transactions.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    options = "?mode=ro&immutable=1" if immutable else "?mode=ro" if read_only else ""
    return sqlite3.connect(f"{path.resolve().as_uri()}{options}", uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)


class Store:
    """An open file. Methods raise sqlite3.Error as SQLite says it; `Damaged` where only we can tell."""

    def __init__(self, path: Path, robot_id: str) -> None:
        """Open or create.

        Raises:
            Foreign: the file is another robot's.
            TooNew: a later agent wrote it.
            Damaged: what has to be in it is not.
            sqlite3.Error: SQLite refuses it.
        """
        self.path = path
        self._db = connect(path)
        try:
            self._prepare(robot_id)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, robot_id: str) -> None:
        for pragma in ("synchronous=FULL", "cache_size=-1024", "cell_size_check=ON", "trusted_schema=OFF"):
            self._db.execute(f"PRAGMA {pragma}")
        version = self._number("PRAGMA user_version")
        if version == 0 and self._number("SELECT count(*) FROM sqlite_schema") == 0:
            self._db.execute("PRAGMA journal_mode=WAL")
            with self.transaction():
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO meta VALUES('robot_id', ?)", (robot_id,))
                self._db.execute(f"PRAGMA user_version={_VERSION}")
        elif version > _VERSION:
            raise TooNew(f"{self.path} has format {version}, this agent knows {_VERSION}: install the agent that wrote it")
        elif version != _VERSION:
            raise Damaged(f"format {version} is none of ours")
        owner = self._db.execute("SELECT value FROM meta WHERE name='robot_id'").fetchone()
        if owner is None:
            raise Damaged("the file does not say whose it is")
        if owner[0] != robot_id:
            raise Foreign(owner[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; durable when it ends."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Forget what is open; never raises, since it follows an error."""
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except sqlite3.Error:
                return  # SQLite has already rolled back by itself

    def close(self) -> None:
        """Give the file back; SQLite folds the WAL into it when it can."""
        self._db.close()

    # streams

    def streams(self) -> list[StreamRow]:
        """Every stream of the file, oldest first."""
        return read_streams(self._db)

    def add_stream(self, row: StreamRow) -> None:
        """A stream that begins here, or one that is known from elsewhere."""
        self._db.execute(
            "INSERT INTO stream VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(n) DO UPDATE SET top=excluded.top, removed=excluded.removed",
            (row.n, row.id, row.prev, row.prev_last, row.last, row.removed),
        )

    def forget_stream(self, n: int) -> None:
        """Only for a stream of which no row is left."""
        self._db.execute("DELETE FROM stream WHERE n=?", (n,))

    # records

    def insert(self, rows: Iterable[tuple[int, bool, bytes]]) -> None:
        """Add records given as (key, low, body)."""
        self.put(Row(key, int(low), checksum(key, int(low), body), body) for key, low, body in rows)

    def put(self, rows: Iterable[Row]) -> None:
        """Add rows whose checksum is known."""
        self._db.executemany("INSERT INTO record VALUES(?, ?, ?, ?)", rows)

    def rescue(self, rows: Iterable[Row]) -> None:
        """Add rows out of a file in which a key may appear twice."""
        self._db.executemany("INSERT OR IGNORE INTO record VALUES(?, ?, ?, ?)", rows)

    def rows(self, start: int, stop: int, limit: int) -> list[Row]:
        """At most `limit` rows with start <= key < stop, ascending, every one checked."""
        found = [
            Row(*row)
            for row in self._db.execute(
                "SELECT key, low, crc, body FROM record WHERE key >= ? AND key < ? ORDER BY key LIMIT ?", (start, stop, limit)
            )
        ]
        for row in found:
            if not sound(row):
                raise Damaged(f"record {place_of(row.key)} is not what was written")
        return found

    def remove(self, spans: Ranges) -> int:
        """Delete exactly the rows whose keys lie in `spans`; a span stays within one stream. Returns how many there were."""
        total = 0
        for span in spans:
            highest = self._db.execute("SELECT max(key) FROM record WHERE key BETWEEN ? AND ?", span).fetchone()[0]
            if highest is None:
                continue
            gone = self._db.execute("DELETE FROM record WHERE key BETWEEN ? AND ?", span).rowcount
            n, seq = place_of(highest)
            # `top` remembers the last seq when the row that showed it has gone.
            self._db.execute("UPDATE stream SET removed=removed+?, top=max(top, ?) WHERE n=?", (gone, seq, n))
            total += gone
        return total

    def rewrite(self, rows: list[Row], gone: set[int]) -> None:
        """Delete those of `rows` (all there are between the first and the last) whose keys are `gone`.

        The others are written anew, because rows taken out here and there leave half-empty pages behind.
        """
        self._db.execute("DELETE FROM record WHERE key BETWEEN ? AND ?", (rows[0].key, rows[-1].key))
        self.put(row for row in rows if row.key not in gone)
        by_stream: dict[int, list[int]] = {}
        for key in gone:
            n, seq = place_of(key)
            by_stream.setdefault(n, []).append(seq)
        for n, seqs in by_stream.items():
            self._db.execute("UPDATE stream SET removed=removed+?, top=max(top, ?) WHERE n=?", (len(seqs), max(seqs), n))

    def held(self, first: int, last: int) -> Ranges:
        """Which keys of first..last are there."""
        return _spans(key for (key,) in self._db.execute("SELECT key FROM record WHERE key BETWEEN ? AND ? ORDER BY key", (first, last)))

    def oldest(self) -> int | None:
        """The least key there; None when no record is left."""
        found: tuple[int | None] = self._db.execute("SELECT min(key) FROM record").fetchone()
        return found[0]

    def used_bytes(self) -> int:
        """Bytes of the pages in use."""
        return (self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")) * self._number("PRAGMA page_size")

    # what else a robot has to remember

    def note(self, body: bytes) -> None:
        """A record that the next start of a stream has to publish: it survives a crash between here and there."""
        self._db.execute("INSERT INTO note(body) VALUES(?)", (body,))

    def take_notes(self) -> list[bytes]:
        """Those records, and forget them."""
        found = [body for (body,) in self._db.execute("SELECT body FROM note ORDER BY id")]
        if found:
            self._db.execute("DELETE FROM note")
        return found

    def answer(self, outgoing_id: int, body: bytes, keep: int) -> None:
        """Remember what was answered, for the last `keep` ids."""
        self._db.execute("INSERT OR REPLACE INTO answered VALUES(?, ?)", (outgoing_id, body))
        self._db.execute("DELETE FROM answered WHERE id NOT IN (SELECT id FROM answered ORDER BY id DESC LIMIT ?)", (keep,))

    def answered(self, outgoing_id: int) -> bytes | None:
        """What was answered before, if it was."""
        found = self._db.execute("SELECT body FROM answered WHERE id=?", (outgoing_id,)).fetchone()
        return found[0] if found else None

    def bury(self, key: int, reason: str, body: bytes, keep: int) -> None:
        """Set a record apart that nobody takes, for the last `keep` of them."""
        self._db.execute("INSERT OR REPLACE INTO dead VALUES(?, ?, ?)", (key, reason, body))
        self._db.execute("DELETE FROM dead WHERE key NOT IN (SELECT key FROM dead ORDER BY key DESC LIMIT ?)", (keep,))

    def finish(self) -> None:
        """Mark a file that was built beside the real one as whole."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES('whole', '1')")

    def _number(self, statement: str, *values: int) -> int:
        return self._db.execute(statement, values).fetchone()[0]  # type: ignore[no-any-return]


def read_streams(db: sqlite3.Connection) -> list[StreamRow]:
    """Every stream of a file, oldest first.

    Raises:
        Damaged: what the file says of a stream cannot be.
        sqlite3.Error: it cannot be read.
    """
    found = []
    for n, name, prev, prev_last, top, removed in db.execute("SELECT n, id, prev, prev_last, top, removed FROM stream ORDER BY n"):
        if not (isinstance(name, str) and isinstance(top, int) and isinstance(removed, int)):
            raise Damaged(f"stream {n}: {name!r} is no stream")
        highest = db.execute("SELECT max(key) FROM record WHERE key BETWEEN ? AND ?", (key_of(n, 0), key_of(n, TOP_SEQ))).fetchone()[0]
        last = max(top, place_of(highest)[1] if highest else 0)
        if last < removed:
            raise Damaged(f"stream {n}: {last} records, of which {removed} have left")
        found.append(StreamRow(n, name, prev, prev_last, last, removed))
    return found


def _spans(keys: Iterable[int]) -> Ranges:
    out: list[tuple[int, int]] = []
    first = last = -2
    for key in keys:
        if key != last + 1:
            if last >= 0:
                out.append((first, last))
            first = key
        last = key
    if last >= 0:
        out.append((first, last))
    return ranges.normalise(out)
