"""Listens to topics of a robot whose ROS 2 speaks Zenoh (rmw_zenoh), at its router.

Its keys are `DOMAIN/TOPIC/TYPE/HASH`, with the type as DDS spells it; what is there is known by tokens below `@ros2_lv`. What was latched
before we came is not asked for.
"""

import json
import time
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any, Final

import zenoh

from croody_edge.sources import HandOver
from croody_edge.sources.ros2.heard import HeardTopic, Told
from croody_edge.sources.ros2.names import ros_type

_LOOK_S: Final = 1.0
_OPEN_S: Final = 5.0
#: A topic of which nothing came after this is named, with those that there are, seconds.
_ABSENT_S: Final = 8.0
#: Tokens that are looked at, and the place of `MP` (a publisher) and of the topic in one.
_MOST_TOKENS: Final = 4096
_KIND, _TOPIC = 5, 9


def listen(topics: Sequence[HeardTopic], told: Told, hand_over: HandOver, closed: Event, *, domain: int, router: str) -> None:
    """Hand over what comes until `closed` is set.

    Raises:
        OSError: the router is away.
    """
    session = _open(router)
    heard: set[str] = set()
    try:
        for topic in topics:
            session.declare_subscriber(f"{domain}{topic.topic.name}/*/*", _taker(topic, heard, hand_over))
        began_s = time.monotonic()
        while not closed.wait(_LOOK_S):
            if not session.info.routers_zid() and not session.info.peers_zid():
                raise ConnectionError(f"{router}: the router is gone")
            if time.monotonic() - began_s > _ABSENT_S and any(topic.topic.name not in heard for topic in topics):
                began_s = float("inf")  # Once is enough.
                there = _there(session, domain)
                for topic in topics:
                    if topic.topic.name not in heard and topic.topic.name not in there:
                        told.absent(topic.topic.name, domain, there)
    except zenoh.ZError as error:
        raise OSError(f"{router}: {error}") from error
    finally:
        session.close()  # type: ignore[no-untyped-call]


def type_of(key: str) -> str | None:
    """`package/msg/Name` of a key; None of what is no message."""
    parts = key.rsplit("/", 2)
    return ros_type(parts[1]) if len(parts) == 3 else None


def topic_of(token: str) -> str | None:
    """The topic of a publisher's token; None of other tokens."""
    parts = token.split("/")
    return parts[_TOPIC].replace("%", "/") if len(parts) > _TOPIC and parts[_KIND] == "MP" else None


def configuration(**more: Any) -> zenoh.Config:
    """A session that looks for nobody by itself. `more` are values of Zenoh's configuration."""
    config = zenoh.Config()
    values: Mapping[str, Any] = {"scouting/multicast/enabled": False, "scouting/gossip/enabled": False, **more}
    for name, value in values.items():
        config.insert_json5(name, json.dumps(value))
    return config


def _open(router: str) -> zenoh.Session:
    try:
        return zenoh.open(
            configuration(
                **{
                    "mode": "client",
                    "connect/endpoints": [router],
                    "connect/timeout_ms": int(1000 * _OPEN_S),
                    "connect/exit_on_failure": True,
                }
            )
        )
    except zenoh.ZError as error:
        raise OSError(f"{router}: {error}") from error


def _taker(topic: HeardTopic, heard: set[str], hand_over: HandOver) -> Any:
    def take(sample: zenoh.Sample) -> None:
        heard.add(topic.topic.name)
        kind = type_of(str(sample.key_expr))
        if kind is not None and sample.kind == zenoh.SampleKind.PUT and topic.understands(kind):
            topic.take(sample.payload.to_bytes(), hand_over)

    return take


def _there(session: zenoh.Session, domain: int) -> list[str]:
    found: set[str] = set()
    for count, reply in enumerate(session.liveliness().get(f"@ros2_lv/{domain}/**", timeout=2.0)):
        if count >= _MOST_TOKENS:
            break
        if reply.ok is not None and (topic := topic_of(str(reply.ok.key_expr))) is not None:
            found.add(topic)
    return sorted(found)
