"""The outbox, read beside an agent or without one: is it whole, how much waits, and since when. Changes nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from croody_edge.doctor.finding import Finding, ok, wrong
from croody_edge.outbox.keys import Row, place_of, sound
from croody_edge.outbox.rescue import FILE
from croody_edge.outbox.store import Damaged, connect, read_streams
from croody_edge.texts import text

#: So long a large file may be looked through, seconds.
_LOOK_S: Final = 20.0
#: SQLite asks whether to go on after so many of its steps.
_STEPS: Final = 10_000
#: Readings are thinned from here on, as a share of the limit.
_NEARLY: Final = 0.9


class _Dated(msgspec.Struct):
    ts: datetime | None = None


def outbox(folder: Path, robot_id: str, limit_bytes: int, now: float, look_s: float = _LOOK_S) -> Iterator[Finding]:
    """What an outbox holds, and whether it can be trusted.

    Args:
        folder: where it lies.
        robot_id: whose it has to be.
        limit_bytes: its most.
        now: unix seconds.
        look_s: how long it may be looked through.
    """
    path = folder / FILE
    if not path.exists():
        yield ok("outbox", text("doctor.outbox_none", path=path))
        return
    try:
        yield _look(path, robot_id, limit_bytes, now, look_s)
    except (sqlite3.Error, Damaged, OSError) as error:
        yield wrong("outbox", text("doctor.outbox_damaged", path=path, error=error))
    aside = sorted(file.name for file in folder.glob(f"{FILE}.corrupt-*") if not file.name.endswith(("-wal", "-shm")))
    if aside:
        yield ok("outbox", text("doctor.outbox_aside", count=len(aside), newest=aside[-1], folder=folder))


def _look(path: Path, robot_id: str, limit_bytes: int, now: float, look_s: float) -> Finding:
    until_s = monotonic() + look_s
    with closing(_open(path)) as db:
        db.set_progress_handler(lambda: monotonic() > until_s, _STEPS)
        owner = db.execute("SELECT value FROM meta WHERE name='robot_id'").fetchone()
        if owner is None:
            raise Damaged("the file does not say whose it is")
        if owner[0] != robot_id:
            return wrong("outbox", text("doctor.outbox_foreign", path=path, owner=owner[0], robot_id=robot_id))
        waiting = sum(row.pending for row in read_streams(db))
        whole = _looked_through(db)
        db.set_progress_handler(None, 0)
        oldest = db.execute("SELECT body FROM record ORDER BY key LIMIT 1").fetchone()
    size = path.stat().st_size
    words = {"waiting": waiting, "age": _age(oldest, now), "share": round(100 * size / limit_bytes)}
    if size > _NEARLY * limit_bytes and waiting:
        return wrong("outbox", text("doctor.outbox_nearly_full", **words))
    return ok("outbox", text("doctor.outbox" if whole else "doctor.outbox_part", **words))


def _open(path: Path) -> sqlite3.Connection:
    """Read only; where the folder takes no new file, without what lies in the WAL."""
    for immutable in (False, True):
        db = connect(path, read_only=True, immutable=immutable)
        try:
            db.execute("SELECT 1 FROM sqlite_schema").fetchone()
            return db
        except sqlite3.OperationalError as error:
            db.close()
            if immutable or error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
                raise
        except sqlite3.Error:
            db.close()
            raise
    raise AssertionError("unreachable")


def _looked_through(db: sqlite3.Connection) -> bool:
    """Say whether there was time for all of it.

    Raises:
        Damaged: something is not as it was written.
        sqlite3.Error: it cannot be read.
    """
    try:
        (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise Damaged(str(said))
        for row in map(Row._make, db.execute("SELECT key, low, crc, body FROM record")):
            if not sound(row):
                raise Damaged(f"record {place_of(row.key)} is not what was written")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return False
        raise
    return True


def _age(oldest: tuple[bytes] | None, now: float) -> str:
    """How old the oldest record is, by its own time."""
    if oldest is None:
        return "0:00:00"
    try:
        ts = msgspec.json.decode(oldest[0], type=_Dated).ts
    except (msgspec.MsgspecError, UnicodeError):
        return "?"
    return "?" if ts is None else str(timedelta(seconds=max(0, int(now - ts.astimezone(UTC).timestamp()))))
