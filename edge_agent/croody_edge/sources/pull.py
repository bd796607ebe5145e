"""Asks one source at its pace, in the agent's own thread: for a fleet of virtual robots in one process. A real agent has a `Rack`."""

from collections.abc import Callable
from math import inf
from typing import Final

import msgspec

from croody_contract.messages import Reading
from croody_edge.faults import Faults
from croody_edge.sources import PullSource, Said

#: A source that fell further behind than this goes on from now, seconds.
_BEHIND_S: Final = 5.0


class PullFeed:
    """A `Feed` of a source that has to be asked, and never hangs."""

    def __init__(self, source: PullSource, faults: Faults, monotonic: Callable[[], float]) -> None:
        """Args: `monotonic` gives seconds of a clock that never jumps."""
        self._source, self._faults, self._monotonic = source, faults, monotonic
        self._due_s = 0.0

    def start(self) -> None:
        """The first reading is due now."""
        self._due_s = self._monotonic()

    def wait_s(self) -> float:
        """Seconds until the next reading is due."""
        return max(0.0, self._due_s - self._monotonic())

    def take(self, now: float, mono_s: float, most: int, *, live: bool = False) -> list[tuple[str, Said]]:
        """See `Feed.take`; it is live."""
        found: list[tuple[str, Said]] = []
        while self._due_s <= mono_s and len(found) < most:
            try:
                said = self._source.read(now)
            except OSError as error:
                self._faults.raised("source_failed", "medium", str(error))
            else:
                self._faults.cleared("source_failed")
                found += [("", one) for one in (() if said is None else (said,) if isinstance(said, msgspec.Struct) else said)]
            self._due_s += self._source.interval_s
        if mono_s - self._due_s > _BEHIND_S:
            self._due_s = mono_s + self._source.interval_s
        return found

    def whole(self, reading: Reading, source: str, mono_s: float) -> Reading:
        """See `Feed.whole`."""
        return reading

    def close(self) -> None:
        """No more readings."""
        self._due_s = inf
        self._source.close()
