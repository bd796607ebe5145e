"""Listeners of a stream, and the one reader that feeds them all. Knows asyncio and database errors, never what is read.

A `Feed` reads while somebody listens, and encodes what it found once for all who see the same. Who cannot keep up is cut off and
comes back by `Last-Event-ID`, so a slow phone never costs memory, nor another listener its place.
"""

import asyncio
import logging
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.db import Error as DatabaseError
from django.db import connections

from croody.accounts.caller import Caller
from croody.live import sse
from croody.live.cursor import Place

log = logging.getLogger(__name__)
#: A comment goes out to everybody so often, in seconds: a proxy gives a silent connection up.
BEAT_S: Final = 10.0
#: Bytes that wait for one listener before it is cut off.
BACKLOG_BYTES: Final = 1024 * 1024
#: A read that takes longer counts as a lost database, in seconds.
HANGS_AFTER_S: Final = 5.0
_BACKOFF_S: Final = (0.5, 1.0, 2.0, 4.0)
_LINGER_S: Final = 5.0
#: The event loop has a turn between any two rounds.
_SHORTEST_S: Final = 0.01
#: Who was dismissed may end by itself for so long, in seconds.
_GOODBYE_S: Final = 1.0
#: A browser that lost us waits this long, in milliseconds.
RETRY_MS: Final = 2000


class Listener:
    """One open connection: who listens, and what still waits to be sent to it.

    What waits is taken as one chunk, so that a busy process sends less often and never less. Chunks are shared between listeners:
    what waits costs a reference, and is counted by its bytes all the same.
    """

    def __init__(
        self, audience: Caller, robot_id: str | None = None, *, visible: frozenset[str] = frozenset(), most: int = BACKLOG_BYTES
    ) -> None:
        self.audience = audience
        self.robot_id = robot_id
        #: What the audience saw when the listener came; the feed looks again by itself.
        self.visible = visible
        #: What it saw before it joined, and the feed may bring again. None: the feed is past all of it.
        self.place: Place | None = None
        self.cut_off = False
        self._most = most
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._ended = False
        self._woken: asyncio.Future[None] | None = None
        self._task: asyncio.Task[Any] | None = None

    def offer(self, *chunks: bytes) -> None:
        """Queue what one tick brings. Cuts off a listener that did not read what waits since the ticks before: it would only grow older."""
        if self.cut_off:
            return
        if self._bytes > self._most:
            self.cut_off = True
            self._waiting.clear()
            if self._task is not None:
                self._task.cancel()
            return
        self._waiting += chunks
        self._bytes += sum(map(len, chunks))
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def beat(self) -> None:
        """Let a quiet connection show that it lives: a comment, when nothing else waits."""
        if not self._waiting:
            self.offer(sse.HEARTBEAT)

    def end(self) -> None:
        """Let the connection finish what waits and close."""
        self.cut_off = self._ended = True
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def begin(self) -> None:
        """The stream runs in the task that says this: it is ended when there is no other way."""
        self._task = asyncio.current_task()

    def dismiss(self) -> None:
        """Nothing more is for this listener: close now, and without waiting for one that does not read."""
        self._waiting.clear()
        self.end()
        if self._task is not None:
            asyncio.get_running_loop().call_later(_GOODBYE_S, self._task.cancel)

    async def chunks(self) -> AsyncIterator[bytes]:
        """What to send, all that waits at once, until the listener is ended."""
        self.begin()
        loop = asyncio.get_running_loop()
        while True:
            if not self._waiting:
                if self._ended:
                    return
                self._woken = loop.create_future()
                await self._woken
                continue
            chunk = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
            self._waiting.clear()
            self._bytes = 0
            yield chunk


class Pace:
    """How long a feed waits after a round.

    A slow database is asked less often, at most a fifth of the time. It is slow when two reads in a row were: one that was held up is
    over, and must not hold up what comes next. A process that needs long to send brings more at once, and has at least half of its own
    processor for everything else; what others on the machine take meanwhile is no reason to wait.
    """

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self._read_s = 0.0

    def pause_s(self, read_s: float, sent_s: float, *, behind: bool = False) -> float:
        """Seconds until the next round.

        Args:
            read_s: how long the database took.
            sent_s: processor time of this thread to tell the listeners.
            behind: more waits than one read takes.
        """
        slow_s, self._read_s = min(self._read_s, read_s), read_s
        if behind:
            return max(sent_s, _SHORTEST_S)
        spare_s = 4 * slow_s if slow_s > self.period_s / 5 else 0.0
        return max(self.period_s - read_s - sent_s, spare_s, sent_s, _SHORTEST_S)


class Feed(ABC):
    """Reads every `period_s` while there are listeners, in a thread of its own with its own database connections."""

    period_s: float

    def __init__(self, name: str) -> None:
        self.name = name
        self.listeners: set[Listener] = set()
        self.lost_since: float | None = None
        #: There was more than one read takes: the next one follows at once.
        self.behind = False
        self._task: asyncio.Task[None] | None = None
        self._beats: asyncio.Task[None] | None = None
        self._closed = False
        _feeds.add(self)

    @abstractmethod
    def read(self) -> Any:
        """Ask the database. Runs in the feed's thread."""

    @abstractmethod
    def publish(self, found: Any) -> None:
        """Hand what `read` found to the listeners. Runs in the event loop."""

    @abstractmethod
    def welcome(self, listener: Listener) -> None:
        """Offer a listener what it needs to begin with."""

    def join(self, listener: Listener) -> None:
        """From now on the listener is fed."""
        if self._closed:
            listener.end()
            return
        if self.lost_since is not None:
            listener.offer(self._state())
        self.listeners.add(listener)
        self.welcome(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name=f"feed {self.name}")
            self._task.add_done_callback(self._ended)
        if self._beats is None or self._beats.done():
            self._beats = asyncio.get_running_loop().create_task(self._beat(), name=f"beats {self.name}")

    def leave(self, listener: Listener) -> None:
        """It is gone."""
        self.listeners.discard(listener)

    def close(self) -> None:
        """End every connection; nobody joins any more."""
        self._closed = True
        for listener in list(self.listeners):
            listener.end()

    def tell(self, chunk: bytes) -> None:
        """Offer one event to everybody."""
        for listener in list(self.listeners):
            listener.offer(chunk)

    def forget(self) -> None:  # noqa: B027  (most feeds remember nothing)
        """Nobody listened for a while: what was remembered is old."""

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"feed-{self.name}")
        pace = Pace(self.period_s)
        failures = 0
        alone_since: float | None = None
        try:
            while not self._closed:
                if self.listeners:
                    alone_since = None
                elif alone_since is None:
                    alone_since = loop.time()
                elif loop.time() - alone_since > _LINGER_S:
                    return
                reading = loop.run_in_executor(pool, self._guarded(self.read))
                try:
                    found, read_s = await self._patiently(reading)
                except DatabaseError as error:
                    self._lost(str(error).strip().partition("\n")[0])
                    await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                    failures += 1
                    continue
                failures = 0
                self._back()
                used_s = time.thread_time()
                self.publish(found)
                # Every listener that was woken by that has its turn before we have ours again.
                await asyncio.sleep(0)
                await asyncio.sleep(pace.pause_s(read_s, time.thread_time() - used_s, behind=self.behind))
        finally:
            self.forget()
            pool.submit(connections.close_all)
            pool.shutdown(wait=False)

    async def _beat(self) -> None:
        """Also while the database hangs: it is not the listeners' fault."""
        while self.listeners and not self._closed:
            await asyncio.sleep(BEAT_S)
            for listener in list(self.listeners):
                listener.beat()

    async def _patiently(self, reading: asyncio.Future[Any]) -> Any:
        done, _ = await asyncio.wait({reading}, timeout=HANGS_AFTER_S)
        if not done:
            self._lost(f"no answer within {HANGS_AFTER_S:g} s")
        return await reading

    @staticmethod
    def _guarded(read: Callable[[], Any]) -> Callable[[], tuple[Any, float]]:
        """What it found, and how many seconds that took in its own thread: a busy event loop says nothing of the database."""

        def run() -> tuple[Any, float]:
            started = time.monotonic()
            try:
                return read(), time.monotonic() - started
            except DatabaseError:
                connections.close_all()
                raise

        return run

    def _lost(self, why: str) -> None:
        if self.lost_since is None:
            self.lost_since = time.time()
            log.warning("%s: the database is lost, %d listeners wait (%s)", self.name, len(self.listeners), why)
            self.tell(self._state())

    def _back(self) -> None:
        if self.lost_since is not None:
            log.info("%s: the database is back after %.0f s", self.name, time.time() - self.lost_since)
            self.lost_since = None
            self.tell(self._state())

    def _state(self) -> bytes:
        word = "ok" if self.lost_since is None else "lost"
        return sse.event("state", {"database": word, "since": self.lost_since})

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: the reader died; its listeners come back by themselves", self.name, exc_info=error)
            for listener in list(self.listeners):
                listener.end()


_feeds: "weakref.WeakSet[Feed]" = weakref.WeakSet()


def close_all() -> None:
    """The process ends: close every stream at once."""
    for feed in list(_feeds):
        feed.close()
