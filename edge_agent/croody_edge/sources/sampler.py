"""Readings that have come or are due, each with what the screen says of it. Knows a source and a screen; keeps and sends nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from croody_contract.limits import MAX_METRICS
from croody_contract.messages import Reading, Record, Value
from croody_edge.faults import Faults
from croody_edge.screen import Screen
from croody_edge.sources import PushSource, Source
from croody_edge.sources.pull import PullFeed
from croody_edge.sources.push import PushFeed

#: Most readings that are taken together when a source is faster than single commits.
_GROUP: Final = 100


class Feed(Protocol):
    """A source as the sampler uses it, whichever sort it is."""

    def start(self) -> None:
        """Begin."""
        ...

    def wait_s(self) -> float:
        """Seconds until `take` has something to do; news aside."""
        ...

    def take(self, now: float, mono_s: float, most: int) -> list[Reading]:
        """What is due or has come, oldest first.

        Args:
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
            most: readings.
        """
        ...

    def close(self) -> None:
        """No more readings; what was taken from the source may still be there."""
        ...


class Sampler:
    """Takes the readings of one robot."""

    def __init__(
        self, source: Source, screen: Screen | None, faults: Faults, monotonic: Callable[[], float], on_news: Callable[[], None]
    ) -> None:
        """Args: `monotonic` gives seconds of a clock that never jumps; `on_news` is called from any thread when a reading has come."""
        self._screen, self._monotonic = screen, monotonic
        self._feed: Feed
        if isinstance(source, PushSource):
            self._feed = PushFeed(source, faults, monotonic, on_news)
        else:
            self._feed = PullFeed(source, faults, monotonic)

    def start(self) -> None:
        """Readings may come from now on."""
        self._feed.start()

    def wait_s(self) -> float:
        """Seconds until the next reading is due."""
        return self._feed.wait_s()

    def take(self, now: float, mono_s: float) -> list[Record]:
        """Everything that is due, to be kept in one commit.

        Args:
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
        """
        return [record for reading in self._feed.take(now, mono_s, _GROUP) for record in self._screened(reading, now)]

    def close(self) -> None:
        """No more readings; `take` gives those that were handed over before."""
        self._feed.close()

    def _screened(self, reading: Reading, now: float) -> Sequence[Record]:
        """The reading with its score in it, and what the screen wants the cloud to see."""
        if reading.ts is None:
            reading = msgspec.structs.replace(reading, ts=datetime.fromtimestamp(now, UTC))
        if self._screen is None:
            return [reading]
        score, records = self._screen.offer(reading, now)
        said: dict[str, Value] = {}
        if score is not None:
            said = {"screen_score": round(score, 4)}
        elif self._screen.note:
            said = {"screening": self._screen.note}
        if said and len(reading.data) < MAX_METRICS:
            reading = msgspec.structs.replace(reading, data={**reading.data, **said})
        return [reading, *records]
