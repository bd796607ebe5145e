"""A start of the agent: its outbox file is opened, or what can be saved of it, and a new stream is born in it.

Knows which file to trust. Every start begins a new stream, so that a copied card, a restored snapshot or a disk that lied about fsync
can never use a key twice; what the watermark knows and the file does not show is told to the cloud as the stream's first records.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EIO
from pathlib import Path
from typing import Final

from croody_contract.messages import Born, Event, MetricInfo, Tombstone, encode
from croody_edge.outbox import rescue, watermark
from croody_edge.outbox.keys import StreamRow, key_of
from croody_edge.outbox.queue_file import QueueFile
from croody_edge.outbox.store import Foreign, Store, TooNew

log: Final = logging.getLogger("croody.outbox")


@dataclass(frozen=True, slots=True)
class Program:
    """What writes the stream: name with version, the kinds of commands it can do, and what it knows of its metrics."""

    name: str
    capabilities: tuple[str, ...] = ()
    metrics: tuple[MetricInfo, ...] = ()


def known(folder: Path, robot_id: str, now: float) -> watermark.Known | None:
    """What the watermark says, after a rescue that a crash interrupted was completed or undone.

    Raises:
        OSError: a file cannot be moved.
    """
    rescue.finish_swap(folder, f"corrupt-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}")
    return watermark.read(folder, robot_id)


def open_store(folder: Path, robot_id: str, before: watermark.Known | None, suspicion: str | None, now: float) -> Store:
    """The file, or a new one with what can be saved of it.

    Args:
        folder: where the outbox lies.
        robot_id: whose it has to be.
        before: what the watermark says.
        suspicion: what made the file doubtful, if anything did.
        now: unix seconds.

    Raises:
        OSError: the disk says no, or a later agent wrote the file.
        sqlite3.Error: as before.
        Damaged: what has to be in it is not; the suspicion for the next try.
    """
    path = folder / rescue.FILE
    cause = suspicion
    if cause is None and before is not None and not (path.exists() and path.stat().st_size):
        cause = "the file is gone"
    if cause is None:
        try:
            return Store(path, robot_id)
        except Foreign as foreign:
            rescue.rebuild(folder, robot_id, None, "another robot's", now, owner=str(foreign.args[0]))
        except TooNew as error:
            raise OSError(EIO, str(error)) from error
        return Store(path, robot_id)
    rescue.rebuild(folder, robot_id, before, cause, now)
    return Store(path, robot_id)


def begin(folder: Path, robot_id: str, program: Program, store: Store, before: watermark.Known | None, now: float) -> QueueFile:
    """A new stream in an open file, which is closed when this fails.

    Args:
        folder: where the outbox lies.
        robot_id: whose it is.
        program: what the stream's first record says of this agent.
        store: open.
        before: what the watermark says.
        now: unix seconds.

    Raises:
        OSError: the disk says no.
        sqlite3.Error: as before.
    """
    moment = datetime.fromtimestamp(now, UTC)
    written: watermark.Watermark | None = None
    try:
        streams = store.streams()
        with store.transaction():
            notes = store.take_notes() + _vanished(folder, store, streams, before, moment)
            streams = store.streams()
            old = streams[-1] if streams else None
            n = old.n + 1 if old else 1
            born = Born(
                agent=program.name,
                ts=moment,
                prev=old.id if old else None,
                prev_last=old.last if old else None,
                capabilities=list(program.capabilities),
                metrics=list(program.metrics) or None,
            )
            fresh = StreamRow(n, secrets.token_hex(8), born.prev, born.prev_last, 0, 0)
            store.add_stream(fresh)
            bodies = [encode(born), *notes]
            store.insert((key_of(n, seq), False, body) for seq, body in enumerate(bodies, 1))
        streams.append(fresh)
        written = _mark(folder, robot_id, store, streams, len(bodies))
        rescue.sync_folder(folder)
    except BaseException:
        store.close()
        if written is not None:
            written.close()
        raise
    return QueueFile(folder, store, streams, len(bodies), written)


def _vanished(folder: Path, store: Store, streams: list[StreamRow], before: watermark.Known | None, moment: datetime) -> list[bytes]:
    """Records to publish when the newest known stream ends earlier in the file than it did in truth."""
    if before is None:
        return []
    newest = before.streams[-1]
    row = next((row for row in streams if row.id == newest.id), None)
    there = row.last if row else 0
    if there >= before.returned:
        return []
    lost = newest.last - there
    if row is None and any(row.n == newest.n for row in streams):
        newest = StreamRow(streams[-1].n + 1, newest.id, newest.prev, newest.prev_last, newest.last, 0)
    removed = (row.removed if row else 0) + lost
    store.add_stream(StreamRow(row.n if row else newest.n, newest.id, newest.prev, newest.prev_last, newest.last, removed))
    cause = f"the file ends at {there} of stream {newest.id}, which had come to {before.returned}"
    log.error("outbox %s: %s", folder, cause)
    event = Event(code="outbox_corrupt", ts=moment, severity="high", detail={"cause": cause, "lost_at_most": lost})
    return [encode(event), encode(Tombstone(stream=newest.id, ranges=[(there + 1, newest.last)], reason="corrupt", ts=moment))]


def _mark(folder: Path, robot_id: str, store: Store, streams: list[StreamRow], last: int) -> watermark.Watermark | None:
    """Write the watermark; then streams with nothing left may be forgotten, but for the two newest."""
    current = StreamRow(streams[-1].n, streams[-1].id, streams[-1].prev, streams[-1].prev_last, last, 0)
    try:
        written = watermark.Watermark(folder, robot_id, [*streams[:-1], current])
    except OSError as error:
        log.warning("outbox %s: its watermark cannot be written (%s): a lost tail would not be noticed", folder, error)
        return None
    done = [row for row in streams[:-2] if row.pending == 0]
    if done:
        with store.transaction():
            for row in done:
                store.forget_stream(row.n)
                streams.remove(row)
    return written
