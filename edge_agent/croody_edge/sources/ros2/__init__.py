"""A robot that runs ROS 2, heard over DDS as any of its own nodes would hear it; ROS itself is not needed here. Wires the parts."""

import logging
import time
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener
from croody_edge.sources.ros import METRICS, Topic, check_topics
from croody_edge.sources.ros.cdr import BadMessage, Types
from croody_edge.sources.ros.messages import Reader
from croody_edge.sources.ros2.idl import IdlTypes
from croody_edge.sources.ros2.network import Network, Offer, TopicReader
from croody_edge.texts import text

log = logging.getLogger("croody.ros2")

#: Messages that come close together are read together, seconds.
_REST_S: Final = 0.02
_LOOK_S: Final = 1.0
#: A topic that nobody publishes after this is named, with those that there are, seconds.
_ABSENT_S: Final = 10.0
_NAMED: Final = 20


class Ros2Source(Listener):
    """A `PushSource` over the topics of one domain."""

    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """Which topics of which domain."""

        topics: Annotated[tuple[Topic, ...], Meta(max_length=64, description="tables `[[source.NAME.topics]]`: `name`, `type`, `fields`")]
        domain: Annotated[int, Meta(ge=0, le=232, description="the robot's `ROS_DOMAIN_ID`")] = 0
        interface: Annotated[str, Meta(max_length=64, description="network interface, by name or address; empty: any")] = ""
        peers: Annotated[
            tuple[str, ...], Meta(max_length=32, description="addresses that are asked directly, where multicast is blocked")
        ] = ()
        distro: Annotated[str, Meta(description="the robot's ROS 2 distribution, for the types of its messages")] = "jazzy"
        definitions: Annotated[tuple[Path, ...], Meta(max_length=256, description="`.msg` files of types that ROS 2 does not ship")] = ()

        def __post_init__(self) -> None:
            check_topics(self.topics)

    partial = True
    metrics = METRICS

    def __init__(self, own: Settings, context: Context) -> None:
        super().__init__()
        self._own = own
        self._types = Types(own.distro, own.definitions)
        self._idl = IdlTypes(self._types.store.fielddefs)
        self._told: set[str] = set()

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        network = Network(self._own.domain, self._own.interface, self._own.peers)
        heard = {topic.name: _Heard(topic) for topic in self._own.topics}
        began_s = time.monotonic()
        look_s = 0.0
        try:
            while not self.closed.is_set():
                mono_s = time.monotonic()
                if mono_s >= look_s:
                    look_s = mono_s + _LOOK_S
                    offers = network.offers()
                    for one in heard.values():
                        self._follow(network, one, offers.get(one.topic.name))
                    if mono_s - began_s > _ABSENT_S:
                        self._name_absent(heard, offers)
                network.wait(_LOOK_S / 2)
                self.closed.wait(_REST_S)
                for one in heard.values():
                    self._read(one, hand_over)
        finally:
            for one in heard.values():
                one.close()
            network.close()

    def _follow(self, network: Network, one: "_Heard", offer: Offer | None) -> None:
        """Read a topic that has publishers as these offer it; one that lost them keeps its reader: they may come back."""
        if offer is None or offer == one.offer:
            return
        one.close()
        one.offer = offer
        kind = one.topic.full_type or min(offer.kinds)
        if kind not in offer.kinds:
            self._once(
                f"{one.topic.name} type", text("ros.other_type", topic=one.topic.name, kind=kind, found=", ".join(sorted(offer.kinds)))
            )
            return
        if kind not in self._types:
            self._once(f"{one.topic.name} type", text("ros.no_definition", topic=one.topic.name, kind=kind))
            return
        try:
            one.meaning = Reader(one.topic, kind) if one.meaning is None or one.meaning.kind != kind else one.meaning
        except ValueError as error:
            self._once(f"{one.topic.name} type", str(error))
            return
        one.reader = network.reader(one.topic.name, self._idl.of(kind), offer)

    def _read(self, one: "_Heard", hand_over: HandOver) -> None:
        reader, meaning = one.reader, one.meaning
        if reader is None or meaning is None:
            return

        def take(raw: bytes) -> None:
            if not meaning.wants(time.monotonic()):
                return
            try:
                message = self._types.message(raw, meaning.kind)
            except BadMessage as error:
                self._once(f"{one.topic.name} bytes", text("ros.bad_message", topic=one.topic.name, kind=meaning.kind, error=error))
                return
            for said in meaning.take(message, time.time()):
                hand_over(said)

        reader.each(take)

    def _name_absent(self, heard: dict[str, "_Heard"], offers: dict[str, Offer]) -> None:
        for name, one in heard.items():
            if one.offer is None:
                there = ", ".join(sorted(offers)[:_NAMED]) or text("ros.nothing")
                self._once(f"{name} absent", text("ros.absent", topic=name, domain=self._own.domain, there=there))

    def _once(self, key: str, said: str) -> None:
        if key not in self._told:
            self._told.add(key)
            log.warning("%s", said)


class _Heard:
    """A topic, and who reads it."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.offer: Offer | None = None
        self.reader: TopicReader | None = None
        self.meaning: Reader | None = None

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()
            self.reader = None
