"""The queue of one robot: what was published and is not yet acknowledged. Survives power loss, a full disk and a damaged file.

Knows streams, the size limit and when a file is to be trusted; SQL is in `store`, the saving of a damaged file in `rescue`,
the choice of what to thin in `thin`. Every start begins a new stream, so that a copied card, a restored snapshot or a disk
that lied about fsync can never use a key twice. Safe to use from several threads.
"""

import fcntl
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EBADF, EBUSY, EIO, ENOSPC
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Final, TypeVar

from croody_contract import ranges
from croody_contract.messages import Born, Event, Tombstone, encode
from croody_contract.ranges import Ranges
from croody_edge import marks, rescue, thin
from croody_edge.packed import Packed
from croody_edge.store import TOP_SEQ, Damaged, Foreign, Store, StreamRow, TooNew, key_of, place_of

log = logging.getLogger("croody.outbox")

_LOCK: Final = "outbox.lock"
#: Above the limit this share is kept for what may never be thinned, so that an event still finds a place.
_RESERVE: Final = 1.1
#: A record's place in the file beside its body, bytes; only an estimate between two looks at the file.
_ROW_BYTES: Final = 24
#: Rows looked at in one piece while thinning.
_THIN_ROWS: Final = 500
#: Between two tries to open a file that could not be opened, seconds.
_RETRY_S: Final = 0.5
_ANSWERS_KEPT: Final = 1000
_DEAD_KEPT: Final = 1000
#: SQLite's codes for which the file is not to blame: PERM BUSY LOCKED NOMEM READONLY INTERRUPT IOERR FULL CANTOPEN PROTOCOL.
_NOT_DAMAGE: Final = {3, 5, 6, 7, 8, 9, 10, 13, 14, 15}
_BUSY: Final = (5, 6)
_FULL: Final = 13
_T = TypeVar("_T")


class Locked(OSError):
    """Another agent holds this outbox."""


@dataclass(frozen=True, slots=True)
class Batch:
    """An unbroken run of records of one stream."""

    stream: StreamRow
    first_key: int
    bodies: list[bytes]

    @property
    def first(self) -> int:
        """Seq of the first record."""
        return place_of(self.first_key)[1]

    @property
    def last(self) -> int:
        """Seq of the last record."""
        return self.first + len(self.bodies) - 1

    @property
    def last_key(self) -> int:
        """Key of the last record."""
        return self.first_key + len(self.bodies) - 1


class Outbox:
    """One robot's queue in one folder. Methods raise OSError while the disk says no, and go on by themselves when it recovers."""

    def __init__(self, folder: Path, robot_id: str, *, agent: str, limit_bytes: int) -> None:
        """Take the folder's lock; the file is opened by `open`, or by the first call that needs it.

        Raises:
            Locked: another agent holds it.
            OSError: the folder cannot be written.
        """
        self._folder, self._robot_id, self._agent, self._limit = folder, robot_id, agent, limit_bytes
        self._guard = RLock()
        self._store: Store | None = None
        self._marks: marks.Marks | None = None
        self._streams: dict[int, StreamRow] = {}
        self._n = self._last = 0
        self._suspicion: str | None = None
        self._failure = ""
        self._not_before = 0.0
        self._closed = False
        self._room = 0
        self._thin_at, self._thin_left = 0, 0
        #: Goes up whenever a new stream begins: whoever remembers keys has to look anew.
        self.generation = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = _lock(folder / _LOCK)

    # life

    def open(self, now: float) -> None:
        """Begin a new stream now, if none is begun.

        Raises:
            OSError: the disk says no.
        """
        self._do(lambda _: None, now)

    def close(self) -> None:
        """Give everything back. Rows stay for the next start."""
        with self._guard:
            if not self._closed:
                self._closed = True
                self._abandon()
                os.close(self._lock_file)

    # writing

    def append(self, records: Sequence[Packed], now: float, protected: Ranges = ranges.EMPTY) -> list[int]:
        """Keep records, all or none; they are durable when this returns. Returns their keys.

        Args:
            records: encoded and checked.
            now: unix seconds.
            protected: keys that must not be thinned now.

        Raises:
            OSError: ENOSPC when the disk is full, or the outbox is and holds nothing that may go; EIO and others as the disk says.
        """

        def work(store: Store) -> list[int]:
            before = self._last
            try:
                with store.transaction():
                    thinned = self._make_room(store, records, now, protected)
                    keys = self._insert(store, records)
            except BaseException:
                self._last = before
                raise
            if thinned:
                self._recount(store)
            return keys

        with self._guard:
            keys = self._do(work, now)
            self._reached()
            return keys

    def remove(self, keys: Ranges, now: float) -> int:
        """Delete exactly these rows. Returns how many were there.

        Raises:
            OSError: the disk says no; nothing is deleted.
        """

        def work(store: Store) -> int:
            with store.transaction():
                gone = store.remove(keys)
            self._recount(store)
            return gone

        return self._do(work, now)

    # reading

    def read(self, start: int, stop: int, limit: int, max_bytes: int, now: float) -> Batch | None:
        """The first unbroken run of one stream with start <= key < stop: at most `limit` records and `max_bytes` bytes of them.

        Raises:
            OSError: the disk says no.
        """

        def work(store: Store) -> Batch | None:
            rows = store.rows(start, stop, limit)
            if not rows:
                return None
            first = rows[0].key
            bodies: list[bytes] = []
            size = 0
            for row in rows:
                size += len(row.body) + 1
                if row.key != first + len(bodies) or (bodies and size > max_bytes):
                    break
                bodies.append(row.body)
            return Batch(self._stream(place_of(first)[0]), first, bodies)

        return self._do(work, now)

    def held(self, first: int, last: int, now: float) -> Ranges:
        """Which of the keys first..last are in the queue.

        Raises:
            OSError: the disk says no.
        """
        return self._do(lambda store: store.held(first, last), now)

    def find(self, stream: str) -> StreamRow | None:
        """A stream of this outbox by its id."""
        with self._guard:
            found = next((row for row in self._streams.values() if row.id == stream), None)
            return self._stream(found.n) if found else None

    @property
    def current(self) -> StreamRow | None:
        """The stream that grows; None until the file could be opened."""
        with self._guard:
            return self._stream(self._n) if self._n in self._streams else None

    def pending(self) -> int:
        """Rows not yet acknowledged."""
        with self._guard:
            return sum(self._stream(n).pending for n in self._streams)

    def verify(self, now: float) -> None:
        """Called when everything seems sent and acknowledged, yet rows are pending: they have vanished from the file.

        Raises:
            OSError: the disk says no.
        """

        def work(store: Store) -> None:
            if self.pending() and store.is_empty():
                raise Damaged(f"{self.pending()} records have vanished")

        self._do(work, now)

    # what else has to be remembered

    def answered(self, outgoing_id: int, now: float) -> bytes | None:
        """What the robot has answered to a row of `outgoing` before.

        Raises:
            OSError: the disk says no.
        """
        return self._do(lambda store: store.answered(outgoing_id), now)

    def answer(self, outgoing_id: int, body: bytes, now: float) -> None:
        """Remember an answer, also for the next start.

        Raises:
            OSError: the disk says no.
        """

        def work(store: Store) -> None:
            with store.transaction():
                store.answer(outgoing_id, body, _ANSWERS_KEPT)

        self._do(work, now)

    def bury(self, key: int, reason: str, body: bytes, now: float) -> None:
        """Move a record that nobody will ever take to the dead ones.

        Raises:
            OSError: the disk says no.
        """

        def work(store: Store) -> None:
            with store.transaction():
                store.bury(key, reason, body, _DEAD_KEPT)
                store.remove(((key, key),))
            self._recount(store)

        self._do(work, now)

    # inside

    def _do(self, work: Callable[[Store], _T], now: float) -> _T:
        """Run `work` on the open file; open it first, set it aside when it is damaged, and say OSError when the disk says no."""
        with self._guard:
            if self._closed:
                raise OSError(EBADF, f"outbox {self._folder} is closed")
            for last_try in (False, True):
                try:
                    return work(self._store or self._begin(now))
                except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
                    raise
                except (sqlite3.Error, Damaged) as error:
                    code = getattr(error, "sqlite_errorcode", None)
                    primary = code & 0xFF if isinstance(code, int) else None
                    if primary in _NOT_DAMAGE:
                        if primary not in (*_BUSY, _FULL):
                            self._abandon()  # What a failed write left behind is not known: begin a new stream.
                        number = ENOSPC if primary == _FULL else EBUSY if primary in _BUSY else EIO
                        raise OSError(number, f"outbox {self._folder}: {error}") from error
                    self._suspicion, self._not_before = str(error), 0.0
                    self._abandon()
                    if last_try:
                        raise OSError(EIO, f"outbox {self._folder}: damaged again at once: {error}") from error
            raise AssertionError("unreachable")

    def _begin(self, now: float) -> Store:
        """`_start`, but not more often than a failing disk can bear."""
        if monotonic() < self._not_before:
            raise OSError(EIO, f"outbox {self._folder} could not be opened a moment ago: {self._failure}")
        try:
            return self._start(now)
        except (OSError, sqlite3.Error) as error:
            self._failure = str(error)
            self._not_before = monotonic() + _RETRY_S
            raise

    def _reached(self) -> None:
        if self._marks is not None:
            try:
                self._marks.reached(self._last)
            except OSError as error:
                log.warning("outbox %s: its marks cannot be written (%s): a lost tail would not be noticed", self._folder, error)
                self._marks.close()
                self._marks = None

    def _recount(self, store: Store) -> None:
        for row in store.streams():
            self._streams[row.n] = row

    def _insert(self, store: Store, records: Sequence[Packed]) -> list[int]:
        if self._last + len(records) > TOP_SEQ:
            raise Damaged("the stream is full")
        first = key_of(self._n, self._last + 1)
        keys = list(range(first, first + len(records)))
        store.insert((key, record.low, record.body) for key, record in zip(keys, records, strict=True))
        self._last += len(records)
        return keys

    def _stream(self, n: int) -> StreamRow:
        row = self._streams.get(n)
        if row is None:
            raise Damaged(f"records of a stream {n} that the file does not name")
        if n != self._n:
            return row
        return StreamRow(row.n, row.id, row.prev, row.prev_last, self._last, row.removed)

    def _abandon(self) -> None:
        if self._store is not None:
            store, self._store = self._store, None
            try:
                store.close()
            except sqlite3.Error as error:
                log.debug("outbox %s: closing: %s", self._folder, error)
        if self._marks is not None:
            self._marks.close()
            self._marks = None

    # opening

    def _start(self, now: float) -> Store:
        """Open the file, or what can be saved of it, and begin a stream in it."""
        moment = datetime.fromtimestamp(now, UTC)
        rescue.finish_swap(self._folder, f"corrupt-{moment:%Y%m%dT%H%M%SZ}")
        known = marks.read(self._folder, self._robot_id)
        store = self._open_store(known, now)
        try:
            streams = store.streams()
            with store.transaction():
                notes = store.take_notes() + self._vanished(store, streams, known, moment)
                streams = store.streams()
                before = streams[-1] if streams else None
                n = before.n + 1 if before else 1
                name = secrets.token_hex(8)
                born = Born(agent=self._agent, ts=moment, prev=before.id if before else None, prev_last=before.last if before else None)
                fresh = StreamRow(n, name, born.prev, born.prev_last, 0, 0)
                store.add_stream(fresh)
                bodies = [encode(born), *notes]
                store.insert((key_of(n, seq), False, body) for seq, body in enumerate(bodies, 1))
            self._n, self._last = n, len(bodies)
            streams.append(fresh)
            self._mark(store, streams)
            rescue.sync_folder(self._folder)
        except BaseException:
            store.close()
            raise
        self._streams = {row.n: row for row in streams}
        self._store = store
        self._room = 0
        self._thin_at = self._thin_left = 0
        self.generation += 1
        return store

    def _open_store(self, known: marks.Known | None, now: float) -> Store:
        path = self._folder / rescue.FILE
        cause = self._suspicion
        if cause is None and known is not None and not (path.exists() and path.stat().st_size):
            cause = "the file is gone"
        if cause is None:
            try:
                return Store(path, self._robot_id)
            except Foreign as foreign:
                rescue.rebuild(self._folder, self._robot_id, None, "another robot's", now, owner=str(foreign.args[0]))
            except TooNew as error:
                raise OSError(EIO, str(error)) from error
            return Store(path, self._robot_id)
        rescue.rebuild(self._folder, self._robot_id, known, cause, now)
        self._suspicion = None
        return Store(path, self._robot_id)

    def _vanished(self, store: Store, streams: list[StreamRow], known: marks.Known | None, moment: datetime) -> list[bytes]:
        """Records to publish when the newest known stream ends earlier in the file than it did in truth."""
        if known is None:
            return []
        newest = known.streams[-1]
        row = next((row for row in streams if row.id == newest.id), None)
        there = row.last if row else 0
        if there >= known.returned:
            return []
        lost = newest.last - there
        if row is None and any(row.n == newest.n for row in streams):
            newest = StreamRow(streams[-1].n + 1, newest.id, newest.prev, newest.prev_last, newest.last, 0)
        removed = (row.removed if row else 0) + lost
        store.add_stream(StreamRow(row.n if row else newest.n, newest.id, newest.prev, newest.prev_last, newest.last, removed))
        cause = f"the file ends at {there} of stream {newest.id}, which had come to {known.returned}"
        log.error("outbox %s: %s", self._folder, cause)
        event = Event(code="outbox_corrupt", ts=moment, severity="high", detail={"cause": cause, "lost_at_most": lost})
        return [encode(event), encode(Tombstone(stream=newest.id, ranges=[(there + 1, newest.last)], reason="corrupt", ts=moment))]

    def _mark(self, store: Store, streams: list[StreamRow]) -> None:
        """Write the marks; then streams with nothing left may be forgotten, but for the two newest."""
        current = StreamRow(streams[-1].n, streams[-1].id, streams[-1].prev, streams[-1].prev_last, self._last, 0)
        try:
            self._marks = marks.Marks(self._folder, self._robot_id, [*streams[:-1], current])
        except OSError as error:
            log.warning("outbox %s: its marks cannot be written (%s): a lost tail would not be noticed", self._folder, error)
            return
        done = [row for row in streams[:-2] if row.pending == 0]
        if done:
            with store.transaction():
                for row in done:
                    store.forget_stream(row.n)
                    streams.remove(row)

    # the size limit

    def _make_room(self, store: Store, records: Sequence[Packed], now: float, protected: Ranges) -> bool:
        """Thin the oldest readings when these records would pass the limit, and say so with tombstones in this transaction.

        Returns whether any went.

        Raises:
            OSError: ENOSPC when not enough may go.
        """
        size = sum(len(record.body) + _ROW_BYTES for record in records)
        self._room -= size
        if self._room >= 0:
            return False
        limit = self._limit if any(record.low for record in records) else int(self._limit * _RESERVE)
        used = store.used_bytes()
        dropped = ranges.EMPTY
        if used + size > limit:
            target = self._limit - size - min(1 << 20, self._limit // 20)
            dropped = self._thin(store, target, protected)
            self._bury_dropped(store, dropped, now)
            used = store.used_bytes()
            if used + size > limit:
                self._room = 0
                raise OSError(
                    ENOSPC, f"outbox {self._folder}: {used} bytes of at most {self._limit} are in use and none of it may be thinned"
                )
        # What a record takes in pages is only estimated, so the file itself is looked at often.
        self._room = max(0, min(self._limit - used - size, self._limit // 16))
        return bool(dropped)

    def _thin(self, store: Store, target: int, protected: Ranges) -> Ranges:
        """Walk the oldest half of the queue, from where the last walk ended, until the file is small enough or has been seen twice."""
        dropped: list[int] = []
        restarts = 0
        while restarts < 3 and store.used_bytes() > target:
            if self._thin_left <= 0:
                self._thin_at, self._thin_left = 0, max(2 * thin.RUN, self.pending() // 2)
                restarts += 1
            rows = store.rows(self._thin_at, key_of(self._n, self._last + 1), min(_THIN_ROWS, self._thin_left))
            if not rows:
                self._thin_left = 0
                continue
            gone = set(thin.choose([row.key for row in rows if row.low], protected))
            # What stays is written anew behind what goes, because rows taken out one by one leave half-empty pages.
            if gone:
                store.rewrite(rows, gone)
                dropped.extend(gone)
            self._thin_at = rows[-1].key + 1
            self._thin_left -= len(rows)
        return ranges.of(dropped)

    def _bury_dropped(self, store: Store, dropped: Ranges, now: float) -> None:
        moment = datetime.fromtimestamp(now, UTC)
        by_stream: dict[int, list[ranges.Range]] = {}
        for first, last in dropped:
            n, seq = place_of(first)
            by_stream.setdefault(n, []).append((seq, place_of(last)[1]))
        for n, spans in by_stream.items():
            for piece in thin.chunks(tuple(spans)):
                stone = Tombstone(stream=self._stream(n).id, ranges=list(piece), reason="thinned", ts=moment)
                self._insert(store, [Packed(encode(stone), low=False)])


def _lock(path: Path) -> int:
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(number, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(number)
        raise Locked(
            EBUSY, f"{path.parent} is in use by another agent (process {holder}): stop it, or give this one a CROODY_EDGE_DIR of its own"
        ) from error
    with suppress(OSError):  # The process id is for people; a full disk may lack the place for it.
        os.ftruncate(number, 0)
        os.write(number, b"%d\n" % os.getpid())
    return number
