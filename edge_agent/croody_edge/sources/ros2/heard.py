"""One topic of a ROS 2 robot, whatever brings its messages: bytes -> what is handed over, and each complaint told once."""

import logging
import time

from croody_edge.sources import HandOver
from croody_edge.sources.ros import Topic
from croody_edge.sources.ros.cdr import BadMessage, Types
from croody_edge.sources.ros.messages import Reader
from croody_edge.sources.unended import Unended
from croody_edge.texts import text

log = logging.getLogger("croody.ros2")

#: Topics that are named where one of the settings is not there.
_NAMED = 20


class Told:
    """What was said of one source, so that it is said once."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def once(self, key: str, said: str) -> None:
        """Say it, unless it was said under that key."""
        if key not in self._keys:
            self._keys.add(key)
            log.warning("%s", said)

    def absent(self, topic: str, domain: int, there: list[str]) -> None:
        """Say that nobody publishes a topic, and which ones there are."""
        names = ", ".join(sorted(there)[:_NAMED]) or text("ros.nothing")
        self.once(f"{topic} absent", text("ros.absent", topic=topic, domain=domain, there=names))


class HeardTopic:
    """What is known of the messages of a topic."""

    def __init__(self, topic: Topic, types: Types, told: Told, unended: Unended | None = None) -> None:
        self.topic = topic
        self._types, self._told, self._unended = types, told, unended
        self._meaning: Reader | None = None

    def understands(self, kind: str, found: str = "") -> bool:
        """Whether messages `package/msg/Name` of this topic are read; why not is said once. `found` names all that are there."""
        if self.topic.full_type not in ("", kind):
            wanted = self.topic.full_type
            self._told.once(f"{self.topic.name} type", text("ros.other_type", topic=self.topic.name, kind=wanted, found=found or kind))
            return False
        if self._meaning is not None and self._meaning.kind == kind:
            return True
        if kind not in self._types:
            self._told.once(f"{self.topic.name} type", text("ros.no_definition", topic=self.topic.name, kind=kind))
            return False
        try:
            self._meaning = Reader(self.topic, kind, self._unended)
        except ValueError as error:
            self._told.once(f"{self.topic.name} type", str(error))
            return False
        return True

    def take(self, raw: bytes, hand_over: HandOver) -> None:
        """Read a message that `understands` has let in."""
        meaning = self._meaning
        if meaning is None or not meaning.wants(time.monotonic()):
            return
        try:
            message = self._types.message(raw, meaning.kind)
        except BadMessage as error:
            self._told.once(f"{self.topic.name} bytes", text("ros.bad_message", topic=self.topic.name, kind=meaning.kind, error=error))
            return
        for said in meaning.take(message, time.time(), time.monotonic()):
            hand_over(said)
