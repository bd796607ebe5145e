"""The queue of one robot: what was published and is not yet acknowledged. Survives power loss, a full disk and a damaged file.

Knows what an error of the disk means: try again, begin anew, or set the file aside. How a file is opened is in `startup`, what is kept of
a damaged one in `rescue`, the size limit in `limit`, the open file in `queue_file`. Safe to use from several threads.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from errno import EBADF, EBUSY, EIO, ENOSPC
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Final, TypeVar

from croody_contract import ranges
from croody_contract.ranges import Ranges
from croody_edge.outbox import lock, startup
from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import StreamRow, place_of
from croody_edge.outbox.limit import Limit
from croody_edge.outbox.queue_file import QueueFile
from croody_edge.outbox.startup import Program
from croody_edge.outbox.store import Damaged

#: Between two tries to open a file that could not be opened, seconds.
_RETRY_S: Final = 0.5
_ANSWERS_KEPT: Final = 1000
_DEAD_KEPT: Final = 1000
#: SQLite's codes for which the file is not to blame: PERM BUSY LOCKED NOMEM READONLY INTERRUPT IOERR FULL CANTOPEN PROTOCOL.
_NOT_DAMAGE: Final = {3, 5, 6, 7, 8, 9, 10, 13, 14, 15}
_BUSY: Final = (5, 6)
_FULL: Final = 13
_T = TypeVar("_T")


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

    def __init__(self, folder: Path, robot_id: str, *, program: Program, limit_bytes: int) -> None:
        """Take the folder's lock; the file is opened by `open`, or by the first call that needs it.

        Raises:
            Locked: another agent holds it.
            OSError: the folder cannot be written.
        """
        self._folder, self._robot_id, self._program, self._limit_bytes = folder, robot_id, program, limit_bytes
        self._guard = RLock()
        self._queue: QueueFile | None = None
        self._limit = Limit(folder, limit_bytes)
        self._suspicion: str | None = None
        self._failure = ""
        self._not_before = 0.0
        self._closed = False
        #: Goes up whenever a new stream begins: keys that were remembered have to be looked up anew.
        self.generation = 0
        # Readings are their robot's: a folder that is made here is closed to other users of the board.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = lock.take(folder)

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

    def append(self, records: Sequence[Encoded], now: float, protected: Ranges = ranges.EMPTY) -> list[int]:
        """Keep records, all or none; they are durable when this returns. Returns their keys.

        Args:
            records: encoded and checked.
            now: unix seconds.
            protected: keys that must not be thinned now.

        Raises:
            OSError: ENOSPC when the disk is full, or the outbox is and holds nothing that may go; EIO and others as the disk says.
        """

        def work(queue: QueueFile) -> list[int]:
            with queue.transaction():
                thinned = self._limit.make_room(queue, records, now, protected)
                keys = queue.insert(records)
            if thinned:
                queue.recount()
            queue.reached()
            return keys

        return self._do(work, now)

    def remove(self, keys: Ranges, now: float) -> int:
        """Delete exactly these rows. Returns how many were there.

        Raises:
            OSError: the disk says no; nothing is deleted.
        """

        def work(queue: QueueFile) -> int:
            with queue.transaction():
                gone = queue.store.remove(keys)
            queue.recount()
            return gone

        return self._do(work, now)

    # reading

    def read(self, start: int, stop: int, limit: int, max_bytes: int, now: float) -> Batch | None:
        """The first unbroken run of one stream with start <= key < stop: at most `limit` records and `max_bytes` bytes of them.

        Raises:
            OSError: the disk says no.
        """

        def work(queue: QueueFile) -> Batch | None:
            rows = queue.store.rows(start, stop, limit)
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
            return Batch(queue.stream(place_of(first)[0]), first, bodies)

        return self._do(work, now)

    def held(self, first: int, last: int, now: float) -> Ranges:
        """Which of the keys first..last are in the queue.

        Raises:
            OSError: the disk says no.
        """
        return self._do(lambda queue: queue.store.held(first, last), now)

    def oldest(self, now: float) -> int | None:
        """The least key in the queue; None when it is empty.

        Raises:
            OSError: the disk says no.
        """
        return self._do(lambda queue: queue.store.oldest(), now)

    def find(self, stream: str) -> StreamRow | None:
        """A stream of this outbox by its id."""
        with self._guard:
            return self._queue.find(stream) if self._queue is not None else None

    @property
    def current(self) -> StreamRow | None:
        """The stream that grows; None until the file could be opened."""
        with self._guard:
            return self._queue.current if self._queue is not None else None

    def pending(self) -> int:
        """Rows not yet acknowledged."""
        with self._guard:
            return self._queue.pending() if self._queue is not None else 0

    def verify(self, now: float) -> None:
        """Called when everything seems sent and acknowledged, yet rows are pending: they have vanished from the file.

        Raises:
            OSError: the disk says no.
        """

        def work(queue: QueueFile) -> None:
            if queue.pending() and queue.store.oldest() is None:
                raise Damaged(f"{queue.pending()} records have vanished")

        self._do(work, now)

    # what else has to be remembered

    def answered(self, outgoing_id: int, now: float) -> bytes | None:
        """What the robot has answered to a row of `outgoing` before.

        Raises:
            OSError: the disk says no.
        """
        return self._do(lambda queue: queue.store.answered(outgoing_id), now)

    def answer(self, outgoing_id: int, body: bytes, now: float) -> None:
        """Remember an answer, also for the next start.

        Raises:
            OSError: the disk says no.
        """

        def work(queue: QueueFile) -> None:
            with queue.transaction():
                queue.store.answer(outgoing_id, body, _ANSWERS_KEPT)

        self._do(work, now)

    def bury(self, key: int, reason: str, body: bytes, now: float) -> None:
        """Move a record that nobody will ever take to the dead ones.

        Raises:
            OSError: the disk says no.
        """

        def work(queue: QueueFile) -> None:
            with queue.transaction():
                queue.store.bury(key, reason, body, _DEAD_KEPT)
                queue.store.remove(((key, key),))
            queue.recount()

        self._do(work, now)

    # inside

    def _do(self, work: Callable[[QueueFile], _T], now: float) -> _T:
        """Run `work` on the open file; open it first, set it aside when it is damaged, and say OSError when the disk says no."""
        with self._guard:
            if self._closed:
                raise OSError(EBADF, f"outbox {self._folder} is closed")
            for last_try in (False, True):
                try:
                    return work(self._queue if self._queue is not None and self._queue.is_open else self._begin(now))
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

    def _begin(self, now: float) -> QueueFile:
        """`_start`, but not more often than a failing disk can bear."""
        if monotonic() < self._not_before:
            raise OSError(EIO, f"outbox {self._folder} could not be opened a moment ago: {self._failure}")
        try:
            return self._start(now)
        except (OSError, sqlite3.Error) as error:
            self._failure = str(error)
            self._not_before = monotonic() + _RETRY_S
            raise

    def _start(self, now: float) -> QueueFile:
        """Open the file, or what can be saved of it, and begin a stream in it."""
        before = startup.known(self._folder, self._robot_id, now)
        store = startup.open_store(self._folder, self._robot_id, before, self._suspicion, now)
        self._suspicion = None
        queue = startup.begin(self._folder, self._robot_id, self._program, store, before, now)
        self._queue, self._limit = queue, Limit(self._folder, self._limit_bytes)
        self.generation += 1
        return queue

    def _abandon(self) -> None:
        if self._queue is not None:
            self._queue.close()
