"""Listens to topics over DDS: to each as its publishers offer it, found anew every second."""

import time
from collections.abc import Sequence
from threading import Event
from typing import Final

from croody_edge.sources import HandOver
from croody_edge.sources.ros.cdr import Types
from croody_edge.sources.ros2.dds import Network, Offer, TopicReader
from croody_edge.sources.ros2.heard import HeardTopic, Told
from croody_edge.sources.ros2.idl import IdlTypes

#: Messages that come close together are read together, seconds.
_REST_S: Final = 0.02
_LOOK_S: Final = 1.0
#: A topic that nobody publishes after this is named, with those that there are, seconds.
ABSENT_S: Final = 8.0


def listen(
    topics: Sequence[HeardTopic],
    types: Types,
    told: Told,
    hand_over: HandOver,
    closed: Event,
    *,
    domain: int,
    interface: str,
    peers: tuple[str, ...],
) -> None:
    """Hand over what comes until `closed` is set.

    Raises:
        OSError: DDS cannot start, or refuses a topic.
    """
    idl = IdlTypes(types.store.fielddefs)
    followed = [_Followed(topic, idl) for topic in topics]
    began_s, look_s = time.monotonic(), 0.0
    network = Network(domain, interface, peers)
    try:
        while not closed.is_set():
            mono_s = time.monotonic()
            if mono_s >= look_s:
                look_s = mono_s + _LOOK_S
                offers = network.offers()
                for one in followed:
                    one.follow(network, offers.get(one.topic.topic.name))
                    if one.offer is None and mono_s - began_s > ABSENT_S:
                        told.absent(one.topic.topic.name, domain, list(offers))
            network.wait(_LOOK_S / 2)
            closed.wait(_REST_S)
            for one in followed:
                one.read(hand_over)
    finally:
        for one in followed:
            one.close()
        network.close()


class _Followed:
    """A topic, and the reader that takes it."""

    def __init__(self, topic: HeardTopic, idl: IdlTypes) -> None:
        self.topic, self._idl = topic, idl
        self.offer: Offer | None = None
        self._reader: TopicReader | None = None

    def follow(self, network: Network, offer: Offer | None) -> None:
        """Read it as its publishers offer it; one that lost them keeps its reader: they may come back."""
        if offer is None or offer == self.offer:
            return
        self.close()
        self.offer = offer
        wanted = self.topic.topic.full_type
        kind = wanted if wanted in offer.kinds else min(offer.kinds)
        if self.topic.understands(kind, ", ".join(sorted(offer.kinds))):
            self._reader = network.reader(self.topic.topic.name, self._idl.of(kind), offer)

    def read(self, hand_over: HandOver) -> None:
        """Hand over what waits."""
        if self._reader is not None:
            self._reader.each(lambda raw: self.topic.take(raw, hand_over))

    def close(self) -> None:
        """Take no more."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
