"""Takes what a source hands over, from whichever thread, until the agent's own thread asks for it. Keeps and sends nothing.

At most `MOST_WAITING` readings wait; what comes beyond them is not taken, counted, and told to the cloud when there is room again.
"""

from collections.abc import Callable
from math import inf
from queue import Empty, Full, Queue
from threading import Lock
from typing import Final

from croody_contract.messages import Reading
from croody_edge.faults import Faults
from croody_edge.sources import PushSource

#: Some seconds of the fastest source that one robot's disk can follow.
MOST_WAITING: Final = 1000
#: Between two tries to start a source that could not begin, seconds.
_RETRY_S: Final = 5.0


class PushFeed:
    """A `Feed` of a source that speaks by itself."""

    def __init__(self, source: PushSource, faults: Faults, monotonic: Callable[[], float], on_news: Callable[[], None]) -> None:
        """Args: `monotonic` gives seconds of a clock that never jumps; `on_news` is called when a reading has come."""
        self._source, self._faults, self._monotonic, self._on_news = source, faults, monotonic, on_news
        self._waiting: Queue[Reading] = Queue(MOST_WAITING)
        self._guard = Lock()
        self._lost = 0
        self._began = self._closed = False
        self._try_at_s = 0.0

    def start(self) -> None:
        """Begin, or say why not; it is tried again by `take`."""
        self._try_at_s = self._monotonic() + _RETRY_S
        try:
            self._source.start(self._hand_over)
        except OSError as error:
            self._faults.raised("source_failed", "medium", str(error))
            return
        self._began = True
        self._faults.cleared("source_failed")

    def wait_s(self) -> float:
        """Seconds until `take` has something to do; news aside."""
        if not self._waiting.empty():
            return 0.0
        return _RETRY_S if self._began else max(0.0, self._try_at_s - self._monotonic())

    def take(self, now: float, mono_s: float, most: int) -> list[Reading]:
        """See `Feed.take`."""
        if not self._began and mono_s >= self._try_at_s:
            self.start()
        readings: list[Reading] = []
        try:
            while len(readings) < most:
                readings.append(self._waiting.get_nowait())
        except Empty:
            pass
        with self._guard:
            lost, self._lost = self._lost, 0
        if lost:
            self._faults.raised("source_overrun", "medium", f"more than {MOST_WAITING} readings waited: the source is too fast", lost)
        else:
            self._faults.cleared("source_overrun")
        return readings

    def close(self) -> None:
        """No more readings; those that were taken still wait."""
        self._closed, self._try_at_s = True, inf
        self._source.close()

    def _hand_over(self, reading: Reading) -> bool:
        if self._closed:
            return False  # A source that goes on after its close must not keep the agent from ending.
        try:
            self._waiting.put_nowait(reading)
        except Full:
            with self._guard:
                self._lost += 1
            return False
        self._on_news()
        return True
