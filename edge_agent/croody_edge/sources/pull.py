"""Asks a source at its pace. Knows when the next reading is due; keeps and sends nothing."""

from collections.abc import Callable
from math import inf
from typing import Final

from croody_contract.messages import Reading
from croody_edge.faults import Faults
from croody_edge.sources import PullSource

#: A source that fell further behind than this goes on from now, seconds.
_BEHIND_S: Final = 5.0


class PullFeed:
    """A `Feed` of a source that has to be asked."""

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

    def take(self, now: float, mono_s: float, most: int) -> list[Reading]:
        """See `Feed.take`."""
        readings: list[Reading] = []
        while self._due_s <= mono_s and len(readings) < most:
            try:
                reading = self._source.read(now)
            except OSError as error:
                self._faults.raised("source_failed", "medium", str(error))
            else:
                self._faults.cleared("source_failed")
                if reading is not None:
                    readings.append(reading)
            self._due_s += self._source.interval_s
        if mono_s - self._due_s > _BEHIND_S:
            self._due_s = mono_s + self._source.interval_s
        return readings

    def close(self) -> None:
        """No more readings."""
        self._due_s = inf
        self._source.close()
