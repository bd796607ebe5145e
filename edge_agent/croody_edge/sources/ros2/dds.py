"""A DDS participant: what is published on a domain, and readers that take it. Knows cyclonedds, no messages.

It only reads. A reader asks for what its topic's publishers offer: reliable when all of them are, and what was latched when all latch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from weakref import WeakValueDictionary
from xml.sax.saxutils import quoteattr

from cyclonedds.builtin import BuiltinDataReader, BuiltinTopicDcpsPublication
from cyclonedds.core import DDSException, InstanceState, ReadCondition, SampleState, ViewState, WaitSet
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.qos import Policy, Qos
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic

from croody_edge.sources.ros2.idl import Raw
from croody_edge.sources.ros2.names import dds_topic, ros_topic, ros_type

#: Samples that may wait in a reader: some seconds of 200 a second.
DEPTH: Final = 1000
#: Publishers that are remembered; a large robot has some hundreds.
_MOST_PUBLISHERS: Final = 4096
_TAKEN: Final = 256
_guard: Final = Lock()
_domains: Final[WeakValueDictionary[int, Domain]] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Offer:
    """What the publishers of a topic offer together."""

    kinds: frozenset[str]
    reliable: bool
    latched: bool


class Network:
    """One domain."""

    def __init__(self, domain: int, interface: str = "", peers: tuple[str, ...] = ()) -> None:
        """Join.

        Args:
            domain: `ROS_DOMAIN_ID`.
            interface: name or address of the one to use; empty: cyclonedds chooses.
            peers: addresses that are asked directly, where multicast does not get through.

        Raises:
            OSError: DDS cannot start.
        """
        try:
            self._domain = _domain(domain, interface, peers)
            self._participant = DomainParticipant(domain)
            self._publications = BuiltinDataReader(self._participant, BuiltinTopicDcpsPublication)
            self._wait = WaitSet(self._participant)
        except DDSException as error:
            raise OSError(f"DDS cannot start on domain {domain}: {error.msg}") from error
        self._publishers: dict[Any, tuple[str, str, bool, bool]] = {}

    def wait(self, timeout_s: float) -> None:
        """Until a reader has something, or the time is over."""
        self._wait.wait(int(timeout_s * 1e9))

    def offers(self) -> dict[str, Offer]:
        """Topic -> what is published there now."""
        self._look()
        found: dict[str, list[tuple[str, bool, bool]]] = {}
        for topic, kind, reliable, latched in self._publishers.values():
            found.setdefault(topic, []).append((kind, reliable, latched))
        return {
            topic: Offer(frozenset(kind for kind, _, _ in those), all(it for _, it, _ in those), all(it for _, _, it in those))
            for topic, those in found.items()
        }

    def reader(self, topic: str, kind: type[IdlStruct], offer: Offer) -> "TopicReader":
        """Take what is published there.

        Raises:
            OSError: DDS refuses it.
        """
        reliability = Policy.Reliability.Reliable(0) if offer.reliable else Policy.Reliability.BestEffort
        durability = Policy.Durability.TransientLocal if offer.latched else Policy.Durability.Volatile
        try:
            made = DataReader(
                self._participant,
                Topic(self._participant, dds_topic(topic), kind),
                Qos(reliability, durability, Policy.History.KeepLast(DEPTH)),
            )
            return TopicReader(made, self._wait)
        except DDSException as error:
            raise OSError(f"DDS refuses a reader of {topic}: {error.msg}") from error

    def close(self) -> None:
        """Leave; cyclonedds does it when nothing refers to the participant any more."""
        del self._wait, self._publications, self._participant, self._domain

    def _look(self) -> None:
        while news := self._publications.take(_TAKEN):
            for one in news:
                if not one.sample_info.valid_data or one.sample_info.instance_state != InstanceState.Alive:
                    self._publishers.pop(one.key, None)
                    continue
                topic, kind = ros_topic(one.topic_name), ros_type(one.type_name)
                if topic is not None and kind is not None and len(self._publishers) < _MOST_PUBLISHERS:
                    reliability, durability = one.qos[Policy.Reliability], one.qos[Policy.Durability]
                    latched = durability is not None and durability != Policy.Durability.Volatile
                    self._publishers[one.key] = topic, kind, isinstance(reliability, Policy.Reliability.Reliable), latched


class TopicReader:
    """What comes on one topic."""

    def __init__(self, reader: "DataReader[Any]", wait: WaitSet) -> None:
        self._reader, self._wait = reader, wait
        self._condition = ReadCondition(reader, ViewState.Any | SampleState.NotRead | InstanceState.Any)
        wait.attach(self._condition)

    def each(self, take: Callable[[bytes], None]) -> None:
        """Give `take` the bytes of all that waits."""
        while samples := self._reader.take(_TAKEN):
            for sample in samples:
                if isinstance(sample, Raw):  # And not the news that a publisher went.
                    take(sample.body)
            if len(samples) < _TAKEN:
                return

    def close(self) -> None:
        """Take no more."""
        self._wait.detach(self._condition)


def _domain(domain: int, interface: str, peers: tuple[str, ...]) -> Domain | None:
    """The domain as the settings want it; None leaves it to cyclonedds and `CYCLONEDDS_URI`.

    A process has a domain once: the second source on it joins as the first one wanted it.
    """
    if not interface and not peers:
        return None
    with _guard:
        made = _domains.get(domain)
        if made is None:
            made = _domains[domain] = Domain(domain, configuration(interface, peers))
        return made


def configuration(interface: str, peers: tuple[str, ...]) -> str:
    """What cyclonedds has to be told; on the loopback interface it does without multicast."""
    attribute = "address" if interface.replace(".", "").isdigit() or ":" in interface else "name"
    general = f"<Interfaces><NetworkInterface {attribute}={quoteattr(interface)}/></Interfaces>" if interface else ""
    asked = "".join(f"<Peer address={quoteattr(peer)}/>" for peer in peers)
    multicast = "<AllowMulticast>spdp</AllowMulticast>" if peers and not interface.startswith(("lo", "127.")) else ""
    if interface.startswith(("lo", "127.")):
        multicast = "<AllowMulticast>false</AllowMulticast>"
    discovery = f"<ParticipantIndex>auto</ParticipantIndex><Peers>{asked}</Peers>" if asked else ""
    return f"<CycloneDDS><Domain><General>{general}{multicast}</General><Discovery>{discovery}</Discovery></Domain></CycloneDDS>"
