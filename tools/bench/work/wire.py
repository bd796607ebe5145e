"""Just enough MQTT 3.1.1 for a load generator: whole packets in, whole packets out. Faster than a client library, so that it is
the brokers that are measured. Knows one socket; never for use elsewhere."""

import socket
import struct
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9


class Wire:
    """A connected client."""

    def __init__(self, port: int, client_id: str, user: str = "", password: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        flags, fields = (0xC2, [client_id, user, password]) if user else (0x02, [client_id])
        self.send(_packet(0x10, _text("MQTT") + bytes((4, flags)) + struct.pack("!H", 60) + b"".join(map(_text, fields))))
        kind, body = next(self.packets())
        if kind != CONNACK or body[1] != 0:
            raise ConnectionError(f"{client_id}: the broker refused: {body.hex()}")

    def send(self, data: bytes) -> None:
        """All of it."""
        self.socket.sendall(data)

    def subscribe(self, topic: str) -> None:
        """At QoS 1, and wait for the answer."""
        self.send(_packet(0x82, struct.pack("!H", 1) + _text(topic) + b"\x01"))
        kind, _ = next(self.packets())
        if kind != SUBACK:
            raise ConnectionError(f"no SUBACK but {kind}")

    def packets(self) -> Iterator[tuple[int, bytes]]:
        """Every packet that one or more reads bring, as (kind, body).

        Raises:
            ConnectionError: the broker closed the connection.
            BlockingIOError: the socket does not block and holds no whole packet; what came of it is kept.
        """
        while True:
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the broker closed the connection")
            found, used = parted(self._rest + data)
            self._rest = (self._rest + data)[used:]
            yield from found
            if found:
                return


def parted(data: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """The whole packets at the beginning of `data` as (kind, body), and how many bytes they take."""
    found: list[tuple[int, bytes]] = []
    start = 0
    while True:
        size, shift, at = 0, 0, start + 1
        while True:
            if at >= len(data):
                return found, start
            byte = data[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not byte & 0x80:
                break
        if len(data) < at + size:
            return found, start
        found.append((data[start] >> 4, data[at : at + size]))
        start = at + size


def publish(topic: str, payload: bytes, number: int) -> bytes:
    """A PUBLISH at QoS 1."""
    return _packet(0x32, _text(topic) + struct.pack("!H", number) + payload)


def message(body: bytes) -> tuple[str, bytes]:
    """Topic and payload of a received PUBLISH at QoS 0."""
    at = 2 + int.from_bytes(body[:2], "big")
    return body[2:at].decode(), body[at:]


def puback(body: bytes) -> bytes:
    """The PUBACK for a received QoS 1 PUBLISH with this body."""
    at = 2 + int.from_bytes(body[:2], "big")
    return b"\x40\x02" + body[at : at + 2]


def _packet(head: int, body: bytes) -> bytes:
    size, length = len(body), b""
    while True:
        length += bytes(((size & 0x7F) | (0x80 if size > 0x7F else 0),))
        size >>= 7
        if not size:
            return bytes((head,)) + length + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data
