"""What a device does at an MQTT broker, as far as it is in the clear: log-ins, topics, filters. Bounded.

Of names and secrets it keeps hashes alone.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from croody_contract.flows.connections import Connection
from croody_contract.flows.counters import MOST_DIFFERENT, Counter, Counters
from croody_contract.mosquitto import BRIDGE_USER
from croody_contract.topics import ROOT

_HASH_BYTES: Final = 8
_MOST_NAMES: Final = 4_096
_WIDE: Final = frozenset({b"#", b"+/#", b"$SYS/#", b"+/+/#"})
_ROOT: Final = ROOT.encode() + b"/"
#: Control packets that are looked at in one segment.
_MOST_PACKETS: Final = 64
_PUBLISH: Final = 3
#: Bits of a PUBLISH that asks to be acknowledged (QoS 1 and 2).
_ACKNOWLEDGED: Final = 0x06
_CONNACK: Final = 0x20
_SUBSCRIBE: Final = 0x82
_LONGEST: Final = 256 * 1024 * 1024


class Mqtt:
    """Of all connections that speak it. `beside`: told who did something to whom."""

    def __init__(self, counters: Counters, beside: Callable[[bytes, bytes], None]) -> None:
        self._counters, self._beside = counters, beside
        #: Who tried which name -> hashes of the secrets; who tried which secret -> hashes of the names.
        self._tried: OrderedDict[tuple[bytes, bytes], set[bytes]] = OrderedDict()
        self._sprayed: OrderedDict[tuple[bytes, bytes], set[bytes]] = OrderedDict()

    def said(self, connection: Connection, payload: bytes, size: int, *, outward: bool) -> None:
        """A segment of a connection. `size`: how long it is, captured or not."""
        if not outward:
            # The first word of a broker is its answer to the log-in, and later segments may begin anywhere.
            if connection.heard == len(payload) and payload[0] == _CONNACK and len(payload) >= 4:
                self._answered(connection, refused=bool(payload[3]))
            return
        self._counters.add(connection.source, Counter.MQTT_BYTES, size)
        passed = min(connection.rest, size)
        connection.rest -= passed
        at = passed
        for _ in range(_MOST_PACKETS):
            found = _packet(payload, at)
            if found is None:
                break
            kind, start, end = found
            self._packet(connection, kind, payload[start:end])
            at = end
        if at > size:
            connection.rest = min(at - size, _LONGEST)

    def _packet(self, connection: Connection, kind: int, body: bytes) -> None:
        if kind >> 4 == _PUBLISH:
            self._published(connection, kind, body)
        elif kind == _SUBSCRIBE:
            self._subscribed(connection, body)

    def _published(self, connection: Connection, kind: int, body: bytes) -> None:
        counters, device = self._counters, connection.source
        size = int.from_bytes(body[:2], "big")
        topic = body[2 : 2 + size]
        named = 0 < size == len(topic) and min(topic) >= 0x20
        if not (kind & _ACKNOWLEDGED and named and _robot_of(topic) == connection.note[:_HASH_BYTES]):
            counters.add(device, Counter.MQTT_PUBLISHES)
        if not named:
            return
        if kind & 1:
            counters.note(device, Counter.MQTT_RETAINED, topic)
        if _of_another(connection, topic):
            counters.note(device, Counter.MQTT_FOREIGN, topic)
            self._beside(device, connection.target)

    def _subscribed(self, connection: Connection, body: bytes) -> None:
        for topic_filter in _filters(body):
            self._counters.note(connection.source, Counter.MQTT_FILTERS, topic_filter)
            if topic_filter in _WIDE or topic_filter.startswith(_ROOT + b"+/"):
                self._counters.note(connection.source, Counter.MQTT_WIDE, topic_filter)
                self._beside(connection.source, connection.target)

    def _answered(self, connection: Connection, *, refused: bool) -> None:
        device, name = connection.source, connection.note[:_HASH_BYTES]
        if refused:
            self._counters.add(device, Counter.MQTT_REFUSED)
            self._guess(connection)
            self._beside(device, connection.target)
        else:
            self._counters.add(device, Counter.MQTT_LOGINS)
            self._counters.note(device, Counter.MQTT_ACCOUNTS, name)

    def _guess(self, connection: Connection) -> None:
        """A name that is tried with one secret again and again was set up wrongly; with a second one, both count as guesses.

        Names that are each tried with a secret of their own have old ones; one secret for many names is one that somebody tries.
        """
        device, name, secret = connection.source, connection.note[:_HASH_BYTES], connection.note[_HASH_BYTES:]
        for each in _several(self._tried, (device, name), secret):
            self._counters.note(device, Counter.MQTT_SECRETS, (name, each))
        for each in _several(self._sprayed, (device, secret), name):
            self._counters.note(device, Counter.MQTT_NAMES, (secret, each))


def _several(table: OrderedDict[tuple[bytes, bytes], set[bytes]], key: tuple[bytes, bytes], thing: bytes) -> tuple[bytes, ...]:
    """What is to be counted of one more thing of a key: nothing of the first, both when the second comes."""
    found = table.setdefault(key, set())
    table.move_to_end(key)
    if len(table) > _MOST_NAMES:
        table.popitem(last=False)
    if len(found) < MOST_DIFFERENT:
        found.add(thing)
    if len(found) < 2:
        return ()
    return tuple(found) if len(found) == 2 else (thing,)


def _of_another(connection: Connection, topic: bytes) -> bool:
    """Whether a topic is another robot's than who logged in; what nobody can tell is not."""
    robot = _robot_of(topic)
    return bool(robot and connection.note) and connection.note[:_HASH_BYTES] not in (robot, _BRIDGE)


def _robot_of(topic: bytes) -> bytes:
    """The hash of the robot whose topic it is; empty where it is nobody's."""
    return _hash_of(topic[len(_ROOT) :].split(b"/", 1)[0]) if topic.startswith(_ROOT) else b""


def _hash(part: bytes) -> bytes:
    return hashlib.blake2b(part, digest_size=_HASH_BYTES).digest()


def _hash_of(name: bytes) -> bytes:
    """Of a name as it stands in a CONNECT, behind its length."""
    return _hash(len(name).to_bytes(2, "big") + name)


#: The bridge speaks to all robots.
_BRIDGE: Final = _hash_of(BRIDGE_USER.encode())


def log_in(payload: bytes) -> bytes:
    """Hashes of the name and of the secret of a CONNECT, as far as it was captured; never what they are."""
    at = payload.find(b"MQ", 2, 12)
    at += (6 if payload[at : at + 6] == b"MQIsdp" else 4) + 1
    flags = payload[at] if at < len(payload) else 0
    at += 3
    skipped = 1 + (2 if flags & 0x04 else 0)
    for _ in range(skipped):
        at = _behind(payload, at)
    end = _behind(payload, at) if flags & 0x80 else at
    return _hash(payload[at:end]) + _hash(payload[end:] if flags & 0x40 else b"")


def _behind(payload: bytes, at: int) -> int:
    """Where the field that begins here ends."""
    return at + 2 + int.from_bytes(payload[at : at + 2], "big")


def _packet(payload: bytes, at: int) -> tuple[int, int, int] | None:
    """The control packet that begins here: its first byte, where its body begins, and where it ends; None where none can be read."""
    if at + 2 > len(payload) or not payload[at] & 0xF0:
        return None
    size = shift = 0
    start = at + 1
    while start < min(len(payload), at + 5):
        size |= (payload[start] & 0x7F) << shift
        shift += 7
        start += 1
        if not payload[start - 1] & 0x80:
            return payload[at], start, start + size
    return None


def _filters(body: bytes) -> Iterator[bytes]:
    """Of a SUBSCRIBE, as far as it was captured."""
    at = 2
    while at + 2 < len(body):
        size = int.from_bytes(body[at : at + 2], "big")
        topic_filter = body[at + 2 : at + 2 + size]
        if not 0 < size == len(topic_filter) or min(topic_filter) < 0x20:
            return
        yield topic_filter
        at += 3 + size
