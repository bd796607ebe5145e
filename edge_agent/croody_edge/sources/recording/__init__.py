"""A recording of a robot (MCAP, rosbag2, ROS 1 bag), played at its own pace or faster, as if the robot spoke now.

Readings carry the time at which they are played, as that is when the robot speaks; `recorded_at` has the recording's own.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from croody_contract.limits import MAX_METRICS
from croody_contract.messages import Reading
from croody_edge.sources import Context, Said, SourceSettings
from croody_edge.sources.recording.files import Played, check, messages
from croody_edge.sources.ros import METRICS, Topic, check_topics
from croody_edge.sources.ros.messages import Reader
from croody_edge.texts import text

log = logging.getLogger("croody.recording")

#: A pause in the recording that is longer than this is cut to it; and between its end and its next beginning, seconds of the recording.
_LONGEST_PAUSE_S: Final = 10.0
_LOOP_GAP_S: Final = 1.0
#: Shortest and longest time until the source looks again whether a message is due, seconds.
_SHORTEST_S: Final = 0.005
_LONGEST_S: Final = 1.0
#: Messages of one look: a fast replay must not keep the source's thread from being closed.
_MOST: Final = 200
#: Topics that are read where the settings name none, and those that are named because they cannot be.
_MOST_TOPICS: Final = 256


class RecordingSource:
    """A `PullSource` over one recording."""

    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """Which recording, and how it is played."""

        file: Annotated[Path, Meta(description="a `.mcap` file, a rosbag2 folder or a ROS 1 `.bag`")]
        topics: Annotated[
            tuple[Topic, ...], Meta(max_length=64, description="tables `[[source.NAME.topics]]`; none: all of types that are known")
        ] = ()
        speed: Annotated[float, Meta(ge=0.01, le=1000, description="2.0 is twice as fast as it was")] = 1.0
        loop: Annotated[bool, Meta(description="begin again at the end")] = True

        def __post_init__(self) -> None:
            if self.topics:
                check_topics(self.topics)

    partial = True
    metrics = METRICS

    def __init__(self, own: Settings, context: Context) -> None:
        check(own.file)
        self._own = own
        self.interval_s = _SHORTEST_S
        self._topics = {topic.name: topic for topic in own.topics}
        self._readers: dict[str, Reader | None] = {}
        self._messages: Iterator[Played] = iter(())
        self._next: Played | None = None
        self._due_at: float | None = None
        self._ended = False
        #: Seconds that the recording has been played, cut pauses and rounds aside: what paces of topics are held to.
        self._played_s = 0.0

    def read(self, now: float) -> Sequence[Said] | None:
        """What is due."""
        said: list[Said] = []
        for _ in range(_MOST):
            if self._next is None and not self._ended:
                self._begin(now)
            if self._next is None or self._due_at is None or now < self._due_at:
                break
            said += self._play(self._next, now)
            self._advance()
        wait_s = _LONGEST_S if self._due_at is None or self._next is None else self._due_at - now
        self.interval_s = min(max(wait_s, _SHORTEST_S), _LONGEST_S)
        return said or None

    def recorded(self) -> Iterator[tuple[float, Reading]]:
        """All readings, each with the recording's own time in unix seconds, as fast as they can be read."""
        for played in messages(self._own.file, set(self._topics)):
            reader = self._reader(played)
            if reader is not None and reader.wants(played.at_s):
                yield from ((played.at_s, said) for said in reader.take(played.message, played.at_s) if isinstance(said, Reading))

    def close(self) -> None:
        """Give the file back."""
        self._close()

    def _close(self) -> None:
        close: Any = getattr(self._messages, "close", None)
        if close is not None:
            close()

    def _begin(self, now: float) -> None:
        self._messages = messages(self._own.file, set(self._topics))
        self._next = next(self._messages, None)
        self._ended = self._next is None or (self._due_at is not None and not self._own.loop)
        if self._ended:
            self._next = None
            return
        self._due_at = now if self._due_at is None else self._due_at

    def _advance(self) -> None:
        """The next message, and when it is due."""
        before = self._next
        self._next = next(self._messages, None)
        pause_s = _LOOP_GAP_S
        if self._next is not None and before is not None:
            pause_s = min(max(self._next.at_s - before.at_s, 0.0), _LONGEST_PAUSE_S)
        elif not self._own.loop:
            self._ended = True
        self._played_s += pause_s
        if self._due_at is not None:
            self._due_at += pause_s / self._own.speed

    def _play(self, played: Played, now: float) -> list[Said]:
        reader = self._reader(played)
        if reader is None or not reader.wants(self._played_s):
            return []
        at = datetime.fromtimestamp(played.at_s, UTC).isoformat(timespec="milliseconds")
        return [_recorded(said, at) for said in reader.take(played.message, now)]

    def _reader(self, played: Played) -> Reader | None:
        if played.topic not in self._readers and len(self._readers) < _MOST_TOPICS:
            topic = self._topics.get(played.topic) or _unnamed(played.topic)
            try:
                self._readers[played.topic] = Reader(topic, played.kind)
            except ValueError as error:
                self._readers[played.topic] = None
                if played.topic in self._topics:
                    log.warning("%s", text("recording.topic", path=self._own.file, error=error))
        return self._readers.get(played.topic)


def _unnamed(name: str) -> Topic:
    return Topic(name=name)


def _recorded(said: Said, at: str) -> Said:
    if isinstance(said, Reading) and len(said.data) < MAX_METRICS:
        return msgspec.structs.replace(said, data={**said.data, "recorded_at": at})
    return said
