"""A robot that runs ROS 2, heard as any of its own nodes would hear it, over DDS or Zenoh; ROS itself is not needed. Wires the parts."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener
from croody_edge.sources.ros import METRICS, Topic, check_topics
from croody_edge.sources.ros.cdr import Types
from croody_edge.sources.ros2.heard import HeardTopic, Told
from croody_edge.sources.unended import Unended
from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: What carries the messages -> the library that it takes. cyclonedds has no wheel for ARM.
_LIBRARIES = {"dds": "cyclonedds", "zenoh": "zenoh"}


class Ros2Source(Listener):
    """A `PushSource` over the topics of one domain."""

    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """Which topics of which domain."""

        topics: Annotated[tuple[Topic, ...], Meta(max_length=64, description="tables `[[source.NAME.topics]]`: `name`, `type`, `fields`")]
        domain: Annotated[int, Meta(ge=0, le=232, description="the robot's `ROS_DOMAIN_ID`")] = 0
        rmw: Annotated[Literal["dds", "zenoh"], Meta(description="what the robot's ROS 2 speaks")] = "dds"
        router: Annotated[str, Meta(max_length=256, description="of `zenoh`: the robot's router")] = "tcp/127.0.0.1:7447"
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
        if find_spec(_LIBRARIES[own.rmw]) is None:
            raise BadSetting(text("ros.no_library", rmw=own.rmw, library=_LIBRARIES[own.rmw]))
        self._own = own
        self._types = Types(own.distro, own.definitions)
        self._told = Told()
        #: Kept when the network goes, and over a start: what is bad in a diagnosis ends when the robot says so.
        unended = Unended(context)
        self._topics = [HeardTopic(topic, self._types, self._told, unended) for topic in own.topics]

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        own = self._own
        if own.rmw == "zenoh":
            from croody_edge.sources.ros2 import over_zenoh

            over_zenoh.listen(self._topics, self._told, hand_over, self.closed, domain=own.domain, router=own.router)
            return
        from croody_edge.sources.ros2 import over_dds

        over_dds.listen(
            self._topics,
            self._types,
            self._told,
            hand_over,
            self.closed,
            domain=own.domain,
            interface=own.interface,
            peers=own.peers,
        )
