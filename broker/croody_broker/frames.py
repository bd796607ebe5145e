"""Bytes of a connection to whole MQTT packets, none of them larger than allowed. Knows framing and PUBLISH, no sessions.

amqtt reads a packet field by field from the socket and believes every length in it: a packet that says 100 MB costs
100 MB, and one that lies about its parts shifts all that follow. Here the outer length is judged before the body is
read, and what is parsed afterwards are the bytes of that packet alone.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from amqtt.adapters import ReaderAdapter

PUBLISH: Final = 3
#: The low four bits of a packet's first byte, where MQTT fixes them. PUBLISH has flags of its own.
_FLAGS: Final = {1: 0, 4: 0, 5: 0, 6: 2, 7: 0, 8: 2, 10: 2, 12: 0, 14: 0}
#: A body is read in pieces of this many bytes, and each of them counts as a sign of life.
_PIECE_BYTES: Final = 4096
#: Longest topic, in bytes: every level of it is compared with every rule and subscription.
MAX_TOPIC_BYTES: Final = 1024


class Malformed(Exception):
    """Not MQTT 3.1.1, or larger than allowed: the connection has to end. The message says which rule was broken."""


class Frame(NamedTuple):
    """One packet. `kind` 1 to 14, `flags` the low four bits, `body` all that follows the length."""

    kind: int
    flags: int
    body: bytes


class Publish(NamedTuple):
    """A PUBLISH. `packet_id` is 0 at QoS 0; `again`: its sender says that it has sent it before (DUP)."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int
    again: bool = False


class FrameReader:
    """Reads one packet after the other. `alive` is called whenever the sender got something through."""

    def __init__(self, stream: asyncio.StreamReader, alive: Callable[[], None]) -> None:
        self._stream = stream
        self._alive = alive

    async def next(self, max_bytes: int) -> Frame | None:
        """The next packet, or `None` when the connection ended.

        Raises:
            Malformed: a broken length, wrong flags, or a body above `max_bytes`; nothing of the body was read.
        """
        try:
            first = (await self._stream.readexactly(1))[0]
            kind, flags = first >> 4, first & 0x0F
            if kind != PUBLISH and _FLAGS.get(kind) != flags:
                raise Malformed(f"packet type {kind} with flags {flags}: no client sends that")
            size = await self._length()
            if size > max_bytes:
                raise Malformed(f"packet of {size} bytes: at most {max_bytes} are taken")
            body = await self._body(size)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return None
        self._alive()
        return Frame(kind, flags, body)

    async def _length(self) -> int:
        size = 0
        for shift in (0, 7, 14, 21):
            digit = (await self._stream.readexactly(1))[0]
            size |= (digit & 0x7F) << shift
            if not digit & 0x80:
                return size
        raise Malformed("remaining length: more than four bytes")

    async def _body(self, size: int) -> bytes:
        if size <= _PIECE_BYTES:
            return await self._stream.readexactly(size)
        body = bytearray()
        while len(body) < size:
            body += await self._stream.readexactly(min(_PIECE_BYTES, size - len(body)))
            self._alive()
        return bytes(body)


class BodyReader(ReaderAdapter):  # type: ignore[misc]  # amqtt ships no types
    """Lets amqtt's decoders read one body. amqtt forgives a body that ends too early; `used_exactly` does not."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0
        self._missed = False

    @property
    def used_exactly(self) -> bool:
        """Say whether all of the body was read, and nothing beyond it was wanted."""
        return self._at == len(self._body) and not self._missed

    async def read(self, n: int = -1) -> bytes:
        """Up to `n` bytes; fewer at the end, which amqtt takes for the end of the data."""
        end = len(self._body) if n < 0 else self._at + n
        self._missed = self._missed or end > len(self._body)
        piece = self._body[self._at : end]
        self._at += len(piece)
        return piece

    def feed_eof(self) -> None:
        """Nothing to do: the body is whole."""


def parse_publish(frame: Frame) -> Publish:
    """Read a PUBLISH.

    Raises:
        Malformed: the message names the part.
    """
    qos = (frame.flags >> 1) & 3
    body = frame.body
    end = 2 + int.from_bytes(body[:2], "big")
    rest = end + (2 if qos else 0)
    if qos == 3 or len(body) < rest or len(body) < 2:
        raise Malformed("PUBLISH: QoS 3, or shorter than its own lengths")
    if not 0 < end - 2 <= MAX_TOPIC_BYTES:
        raise Malformed(f"PUBLISH: topic of {end - 2} bytes, expected 1 to {MAX_TOPIC_BYTES}")
    try:
        topic = body[2:end].decode()
    except UnicodeDecodeError as error:
        raise Malformed("PUBLISH: the topic is not UTF-8") from error
    if "#" in topic or "+" in topic or "\0" in topic:
        raise Malformed("PUBLISH: wildcard or NUL in the topic")
    packet_id = int.from_bytes(body[end:rest], "big")
    if qos and not packet_id:
        raise Malformed("PUBLISH: packet id 0")
    return Publish(topic, body[rest:], qos, bool(frame.flags & 1), packet_id, bool(frame.flags & 8))


def build_publish(topic: str, payload: bytes, packet_id: int, *, again: bool = False) -> bytes:
    """The bytes of an outgoing PUBLISH: QoS 1 with a packet id, QoS 0 with `packet_id` 0. Never retained; DUP when `again`."""
    name = topic.encode()
    identity = packet_id.to_bytes(2, "big") if packet_id else b""
    size = length_bytes(2 + len(name) + len(identity) + len(payload))
    first = b"\x3a" if again else b"\x32" if packet_id else b"\x30"
    return b"".join((first, size, len(name).to_bytes(2, "big"), name, identity, payload))


def length_bytes(size: int) -> bytes:
    """MQTT's "remaining length": seven bits a byte, the lowest first."""
    out = bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        out.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(out)
