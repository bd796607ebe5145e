"""MQTT packets in a byte stream, and filters that repeat and reorder publishes. Pure: knows no sockets."""

import random
from collections.abc import Iterator
from typing import Protocol

PUBLISH = 3
_DUP = 0x08


class Splitter:
    """Bytes in any pieces -> whole MQTT packets."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The packets that are complete now."""
        self._rest += data
        while (size := _packet_size(self._rest)) is not None and len(self._rest) >= size:
            packet = bytes(self._rest[:size])
            del self._rest[:size]
            yield packet


def _packet_size(data: bytearray) -> int | None:
    """Bytes of the packet at the start of `data`, None when its length is not there yet."""
    length = 0
    for index in range(1, 5):
        if index >= len(data):
            return None
        length |= (data[index] & 0x7F) << (7 * (index - 1))
        if not data[index] & 0x80:
            return 1 + index + length
    raise ValueError("no MQTT packet: its length has more than four bytes")


def kind(packet: bytes) -> int:
    """The packet's type; 3 is PUBLISH."""
    return packet[0] >> 4


def topic(publish: bytes) -> str:
    """The topic of a PUBLISH packet."""
    at = 1
    while publish[at] & 0x80:
        at += 1
    at += 1
    length = int.from_bytes(publish[at : at + 2], "big")
    return publish[at + 2 : at + 2 + length].decode("utf-8", "replace")


class Filter(Protocol):
    """What a connection's packets to the broker become."""

    def __call__(self, packet: bytes) -> list[bytes]:
        """The packets to send now instead of this one."""


class RepeatAndReorder:
    """Sends batches twice, later ones before earlier ones, and old ones again much later."""

    def __init__(self, rng: random.Random, keep: int = 50) -> None:
        self._rng = rng
        self._held: list[bytes] = []
        self._old: list[bytes] = []
        self._keep = keep

    def __call__(self, packet: bytes) -> list[bytes]:
        """See `Filter`. At most three packets are ever held back, and every other packet lets them go."""
        if kind(packet) != PUBLISH or "/up/batch/" not in topic(packet):
            out, self._held = [*self._held, packet], []
            return out
        self._old = [*self._old, packet][-self._keep :]
        self._held.append(packet)
        if len(self._held) < self._rng.randint(1, 3):
            return []
        out, self._held = self._held, []
        self._rng.shuffle(out)
        if self._rng.random() < 0.7:
            out.append(_again(self._rng.choice(out)))
        if self._rng.random() < 0.3:
            out.append(_again(self._rng.choice(self._old)))
        return out


class LoseSome:
    """Swallows a share of the batches whole, as a broker that crashes after its PUBACK does."""

    def __init__(self, rng: random.Random, share: float) -> None:
        self._rng = rng
        self._share = share

    def __call__(self, packet: bytes) -> list[bytes]:
        """See `Filter`."""
        lost = kind(packet) == PUBLISH and "/up/batch/" in topic(packet) and self._rng.random() < self._share
        return [] if lost else [packet]


def _again(publish: bytes) -> bytes:
    qos = (publish[0] >> 1) & 3
    return bytes([publish[0] | _DUP]) + publish[1:] if qos else publish
