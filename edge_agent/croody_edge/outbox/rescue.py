"""What to save of an outbox that cannot be trusted, and how to put it aside. Knows files; publishes nothing itself.

A new file is built beside the damaged one: rows whose checksum holds are copied, and what has to be told to the cloud (an event,
tombstones for keys that are lost) is noted in it. Only when it is whole do the two change places, so that a crash at any moment
leaves either the old state or the new one. The damaged file is kept for good under `outbox.db.corrupt-<utc>`.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path
from typing import Final

from croody_contract import ranges
from croody_contract.messages import Event, Tombstone, encode
from croody_contract.ranges import Ranges
from croody_edge.outbox import thinning
from croody_edge.outbox.keys import TOP_SEQ, Row, StreamRow, key_of, place_of, sound
from croody_edge.outbox.store import Store, connect
from croody_edge.outbox.watermark import Known

log = logging.getLogger("croody.outbox")

FILE: Final = "outbox.db"
_FRESH: Final = "outbox.db.new"
_TAILS: Final = ("-wal", "-shm", "")
_CHUNK: Final = 2000


def finish_swap(folder: Path, stamp: str) -> None:
    """Complete or undo what a crash interrupted.

    Raises:
        OSError: a file cannot be moved.
    """
    fresh = folder / _FRESH
    if not fresh.exists():
        return
    if _is_whole(fresh):
        _swap(folder, stamp)
    else:
        _delete(fresh)


def rebuild(folder: Path, robot_id: str, known: Known | None, cause: str, now: float, *, owner: str | None = None) -> None:
    """Put a new file in the place of one that cannot be trusted, with everything of the old one that can.

    Args:
        folder: where the outbox lies.
        robot_id: whose outbox it has to be.
        known: what the watermark says.
        cause: what was found, in words.
        now: unix seconds.
        owner: the other robot whose file it is; then nothing is copied and nothing is lost.

    Raises:
        OSError: the new file cannot be written.
        sqlite3.Error: as before.
    """
    moment = datetime.fromtimestamp(now, UTC)
    stamp = _free_stamp(folder, moment.strftime("%Y%m%dT%H%M%SZ"), "robot" if owner else "corrupt")
    aside = f"{FILE}.{stamp}"
    _delete(folder / _FRESH)
    target = Store(folder / _FRESH, robot_id)
    try:
        if owner:
            detail: dict[str, bool | int | float | str] = {"owner": owner[:64], "set_aside": aside}
            with target.transaction():
                target.note(encode(Event(code="outbox_foreign", ts=moment, severity="medium", detail=detail)))
                target.finish()
        else:
            kept = _copy(folder / FILE, target)
            with target.transaction():
                lost = _account(folder / FILE, target, kept, known)
                detail = {
                    "cause": cause[:1000],
                    "set_aside": aside,
                    "rescued": sum(ranges.count(span) for span in kept.values()),
                    "lost_at_most": sum(ranges.count(span) for span in lost.values()),
                }
                target.note(encode(Event(code="outbox_corrupt", ts=moment, severity="high", detail=detail)))
                for stream, spans in lost.items():
                    for piece in thinning.chunks(spans):
                        target.note(encode(Tombstone(stream=stream, ranges=list(piece), reason="corrupt", ts=moment)))
                target.finish()
    finally:
        target.close()
    _swap(folder, stamp)
    log.error("%s is set aside as %s: %s; %s", FILE, aside, cause, detail)


def _copy(source: Path, target: Store) -> dict[int, Ranges]:
    """Copy every sound row. Returns place of stream -> seqs copied."""
    kept: dict[int, list[ranges.Range]] = {}
    chunk: list[Row] = []
    for row in _salvage(source):
        chunk.append(row)
        if len(chunk) >= _CHUNK:
            _flush(target, chunk, kept)
    _flush(target, chunk, kept)
    return {n: ranges.normalise(spans) for n, spans in kept.items()}


def _flush(target: Store, chunk: list[Row], kept: dict[int, list[ranges.Range]]) -> None:
    with target.transaction():
        target.rescue(chunk)
    for row in chunk:
        n, seq = place_of(row.key)
        spans = kept.setdefault(n, [])
        if spans and spans[-1][1] == seq - 1:
            spans[-1] = (spans[-1][0], seq)
        elif spans and spans[-1][0] == seq + 1:
            spans[-1] = (seq, spans[-1][1])
        else:
            spans.append((seq, seq))
    chunk.clear()


def _salvage(source: Path) -> Iterator[Row]:
    """Sound rows: from the front as far as it can be read, then from the back."""
    reached = 0
    for order in ("ASC", "DESC"):
        condition = "key > ?"
        try:
            db = _open_old(source)
        except sqlite3.Error:
            return
        try:
            for values in db.execute(f"SELECT key, low, crc, body FROM record WHERE {condition} ORDER BY key {order}", (reached,)):
                row = Row(*values)
                if sound(row) and row.key > reached:
                    if order == "ASC":
                        reached = row.key
                    yield row
        except (sqlite3.Error, OverflowError):
            continue  # Here the file is broken: go on from the other end.
        else:
            return
        finally:
            db.close()


def _open_old(source: Path) -> sqlite3.Connection:
    """Read only, so that the evidence stays as it is; without its WAL when that cannot be opened."""
    for immutable in (False, True):
        db = connect(source, read_only=True, immutable=immutable)
        try:
            db.execute("SELECT max(key) FROM record").fetchone()
            return db
        except sqlite3.Error:
            if immutable:
                return db
            db.close()
    raise AssertionError("unreachable")


def _old_streams(source: Path) -> list[StreamRow]:
    try:
        db = _open_old(source)
    except sqlite3.Error:
        return []
    try:
        return [
            StreamRow(n, name, prev, prev_last, top, removed)
            for n, name, prev, prev_last, top, removed in db.execute("SELECT n, id, prev, prev_last, top, removed FROM stream ORDER BY n")
            if isinstance(n, int) and isinstance(name, str) and isinstance(top, int) and isinstance(removed, int)
        ]
    except (sqlite3.Error, OverflowError):
        return []
    finally:
        db.close()


def _account(source: Path, target: Store, kept: dict[int, Ranges], known: Known | None) -> dict[str, Ranges]:
    """Write the streams into the new file. Returns stream id -> seqs that are lost, at most.

    What was acknowledged long ago is in that too, where nobody can tell it any more: the cloud subtracts what it has.
    """
    lost: dict[str, Ranges] = {}
    old = {row.n: row for row in _old_streams(source)}
    marked = {row.n: row for row in known.streams} if known else {}
    for n in sorted({*old, *marked}):
        row = old.get(n) or marked[n]
        spans = kept.get(n, ranges.EMPTY)
        last = min(TOP_SEQ, max(row.last, ranges.last(spans), marked[n].last if n in marked else 0))
        if n not in old or last - row.removed != ranges.count(spans):
            gone = ranges.subtract(((1, last),) if last else ranges.EMPTY, spans)
            if gone:
                lost[row.id] = gone
        target.add_stream(replace(row, last=last, removed=last - ranges.count(spans)))
    for n in kept.keys() - old.keys() - marked.keys():
        # Whose they are is nowhere to be read: they stay in the file that is set aside.
        target.remove(((key_of(n, 0), key_of(n, TOP_SEQ)),))
    return lost


def _free_stamp(folder: Path, moment: str, word: str) -> str:
    stamp, number = f"{word}-{moment}", 1
    while (folder / f"{FILE}.{stamp}").exists():
        number += 1
        stamp = f"{word}-{moment}-{number}"
    return stamp


def _is_whole(path: Path) -> bool:
    try:
        db = connect(path)
    except sqlite3.Error:
        return False
    try:
        return db.execute("SELECT 1 FROM meta WHERE name='whole'").fetchone() is not None
    except sqlite3.Error:
        return False
    finally:
        db.close()


def _swap(folder: Path, stamp: str) -> None:
    """WAL first: no stale WAL may ever lie beside a new file."""
    if (folder / f"{_FRESH}-wal").exists():
        raise OSError(ENOSPC, f"{folder / _FRESH} cannot be completed: is the disk full?")
    for tail in _TAILS:
        old = folder / f"{FILE}{tail}"
        if old.exists():
            old.replace(folder / f"{FILE}.{stamp}{tail}")
    (folder / _FRESH).replace(folder / FILE)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable.

    Raises:
        OSError: the disk says no.
    """
    number = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _delete(path: Path) -> None:
    for tail in _TAILS:
        Path(f"{path}{tail}").unlink(missing_ok=True)
