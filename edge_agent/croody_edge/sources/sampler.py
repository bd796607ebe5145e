"""Readings that have come or are due, each with what the screen says of it. Knows a source and a screen; keeps and sends nothing."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from croody_contract.limits import MAX_METRICS
from croody_contract.messages import Reading, Record, Value
from croody_edge.faults import Faults
from croody_edge.screen import Screen
from croody_edge.sources import PushSource, Said, Source
from croody_edge.sources.pull import PullFeed
from croody_edge.sources.rack import Configured, Rack, alone

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

    def take(self, now: float, mono_s: float, most: int, *, live: bool = False) -> list[tuple[str, Said]]:
        """What is due or has come, oldest first, each with the name of its source.

        Args:
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
            most: records, about.
            live: not of sources that read what another program left behind, and remember how far: what is there can wait.
        """
        ...

    def whole(self, reading: Reading, source: str, mono_s: float) -> Reading:
        """The reading with what the other sources said a moment ago."""
        ...

    def close(self) -> None:
        """No more readings; what was taken from the source may still be there."""
        ...


class Sampler:
    """Takes the readings of one robot."""

    def __init__(
        self,
        source: Source | Sequence[Configured],
        screen: Screen | None,
        faults: Faults,
        monotonic: Callable[[], float],
        on_news: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """As the agent has them.

        Args:
            source: one that is asked in the agent's own thread, or any number in threads of their own.
            screen: what looks at the readings, if anything does.
            faults: of this robot.
            monotonic: seconds of a clock that never jumps.
            on_news: called from any thread when a reading has come.
            clock: unix seconds.
        """
        self._screen, self._monotonic = screen, monotonic
        #: When each source last said something, unix seconds.
        self.spoke_s: dict[str, float] = {}
        self._feed: Feed
        if isinstance(source, PushSource):
            source = [alone(source)]
        if isinstance(source, Sequence):
            self._feed = Rack(source, faults, clock, monotonic, on_news)
        else:
            self._feed = PullFeed(source, faults, monotonic)

    def start(self) -> None:
        """Readings may come from now on."""
        self._feed.start()

    def wait_s(self) -> float:
        """Seconds until the next reading is due."""
        return self._feed.wait_s()

    def take(self, now: float, mono_s: float, *, live: bool = False) -> list[Record]:
        """Everything that is due, to be kept in one commit.

        Args:
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
            live: see `Feed.take`.
        """
        found = self._feed.take(now, mono_s, _GROUP, live=live)
        return [record for source, said in found for record in self._done(source, said, now, mono_s)]

    def kept(self) -> None:
        """All that was taken is in the outbox."""
        if self._screen is not None:
            self._screen.kept()

    def close(self) -> None:
        """No more readings; `take` gives those that were handed over before."""
        self._feed.close()

    def _done(self, source: str, said: Said, now: float, mono_s: float) -> Sequence[Record]:
        """What is to be kept for one thing said: with its time, and a reading screened and whole."""
        self.spoke_s[source] = now
        if said.ts is None:
            said = msgspec.structs.replace(said, ts=datetime.fromtimestamp(now, UTC))
        if not isinstance(said, Reading):
            return [said]
        reading, records = self._screened(said, now)
        return [self._feed.whole(reading, source, mono_s), *records]

    def _screened(self, reading: Reading, now: float) -> tuple[Reading, Sequence[Record]]:
        """The reading with its score in it, and what the screen wants the cloud to see."""
        if self._screen is None:
            return reading, ()
        score, records = self._screen.offer(reading, now)
        said: dict[str, Value] = {}
        if score is not None:
            said = {"screen_score": round(score, 4)}
        elif self._screen.note:
            said = {"screening": self._screen.note}
        if said and len(reading.data) < MAX_METRICS:
            reading = msgspec.structs.replace(reading, data={**reading.data, **said})
        return reading, records
