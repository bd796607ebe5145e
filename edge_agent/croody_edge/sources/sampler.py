"""Readings that are due, each with what the screen says of it. Knows a source and a screen; keeps and sends nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from croody_contract.messages import Reading, Record
from croody_edge.faults import Faults
from croody_edge.screen import Screen
from croody_edge.sources import Source

#: Most readings that are taken together when a source is faster than single commits.
_GROUP: Final = 100
#: A source that fell further behind than this goes on from now, seconds.
_BEHIND_S: Final = 5.0


class Sampler:
    """Asks the source at its pace."""

    def __init__(self, source: Source, screen: Screen | None, faults: Faults, monotonic: Callable[[], float]) -> None:
        """Args: `monotonic` gives seconds of a clock that never jumps."""
        self._source, self._screen, self._faults, self._monotonic = source, screen, faults, monotonic
        self._due_s = 0.0

    def start(self) -> None:
        """The first reading is due now."""
        self._due_s = self._monotonic()

    def wait_s(self) -> float:
        """Seconds until the next reading is due."""
        return max(0.0, self._due_s - self._monotonic())

    def take(self, now: float, mono_s: float) -> list[Record]:
        """Everything that is due, to be kept in one commit.

        Args:
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
        """
        records: list[Record] = []
        interval_s = self._source.interval_s
        while self._due_s <= mono_s and len(records) < _GROUP:
            self._due_s += interval_s
            try:
                reading = self._source.read(now)
            except OSError as error:
                self._faults.raised("source_failed", "medium", str(error))
                continue
            self._faults.cleared("source_failed")
            if reading is not None:
                records += self._screened(reading, now)
        if mono_s - self._due_s > _BEHIND_S:
            self._due_s = mono_s + interval_s
        return records

    def close(self) -> None:
        """No more readings."""
        self._source.close()

    def _screened(self, reading: Reading, now: float) -> Sequence[Record]:
        """The reading with its score in it, and what the screen wants the cloud to see."""
        if reading.ts is None:
            reading = msgspec.structs.replace(reading, ts=datetime.fromtimestamp(now, UTC))
        if self._screen is None:
            return [reading]
        score, records = self._screen.offer(reading, now)
        if score is not None:
            reading = msgspec.structs.replace(reading, data={**reading.data, "screen_score": round(score, 4)})
        return [reading, *records]
