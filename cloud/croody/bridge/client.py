"""paho's client for one who is sent very much: takes many messages at a time, and acknowledges many at a time. Knows no payload.

paho reads each packet in three pieces and looks at the socket before each one: 85 % of what a bridge did. Here the socket is
read in large pieces, and whole PUBLISH packets of MQTT 3.1.1 are taken from what was read; all else is paho's. A few of paho's
own names are used; a test fails when they move.

A broker that does not keep to its own window (Mosquitto before 2.0.14) is held to ours: while there is no room nothing is read.
"""

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

from croody_contract.limits import KIB

#: Read at most so much at once; between two reads paho writes, and sends pings.
READ_BYTES: Final = 64 * KIB
_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_TWO_BYTES: Final = struct.Struct("!H")


class Came:
    """A message as `on_messages` gets it: what paho's own has of what a bridge asks for."""

    __slots__ = ("_topic", "dup", "mid", "payload", "qos", "retain")

    def __init__(self, topic: bytes, payload: bytes, mid: int, qos: int, dup: bool, retain: bool = False) -> None:
        self._topic = topic
        self.payload = payload
        self.mid = mid
        self.qos = qos
        self.dup = dup
        self.retain = retain

    @property
    def topic(self) -> str:
        """Raises UnicodeDecodeError, as paho's does."""
        return self._topic.decode()


class Buffered:
    """A socket that is read in large pieces. `pending` says how much of them is left, as a TLS socket does: paho asks for it."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._read = b""
        self._at = 0
        #: When the other side last sent anything, in monotonic seconds.
        self.heard_at = time.monotonic()

    def recv(self, most: int) -> bytes:
        """Of what was read, or of the socket when nothing is left of that."""
        if self._at == len(self._read):
            self._take()
        piece = self._read[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def pending(self) -> int:
        """Bytes that are here although the socket may have none."""
        return len(self._read) - self._at or (self._socket.pending() if hasattr(self._socket, "pending") else 0)

    def fill(self) -> bool:
        """Read more when nothing is left. False: the other side has closed.

        Raises:
            OSError: nothing to be read now, or never again.
        """
        if self._at == len(self._read):
            self._take()
        return bool(self._read)

    def _take(self) -> None:
        self._read, self._at = self._socket.recv(READ_BYTES), 0
        self.heard_at = time.monotonic()

    def publishes(self) -> Iterator[Came]:
        """Whole PUBLISH packets (QoS 0 and 1) that come next. Ends before anything else, a part of a packet, and what breaks a rule."""
        data, end = self._read, len(self._read)
        while True:
            at = self._at
            if at + 2 > end or data[at] & 0xF4 != _PUBLISH:
                return
            head, size, shift, at = data[at], 0, 0, at + 1
            while True:
                if at == end or shift > 21:
                    return
                byte = data[at]
                size |= (byte & 0x7F) << shift
                at, shift = at + 1, shift + 7
                if byte < 0x80:
                    break
            stop = at + size
            if stop > end or size < 2:
                return
            qos = head >> 1 & 1
            body = at + 2 + (data[at] << 8 | data[at + 1])
            if body + 2 * qos > stop:
                return
            mid = data[body] << 8 | data[body + 1] if qos else 0
            if qos and not mid:
                return
            self._at = stop
            yield Came(data[at + 2 : body], data[body + 2 * qos : stop], mid, qos, bool(head & 0x08), bool(head & 0x01))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class Client(mqtt.Client):
    """`loop_read` takes everything that one read brought. For MQTT 3.1.1; nobody gives it callbacks for single topics.

    `on_messages` gets what came together; what paho has to read itself goes to `on_message`.
    """

    on_messages: Callable[[Sequence[Came]], None]
    #: Asked before each read. It may wait a moment; what is to be sent waits as long.
    has_room: Callable[[], bool] = staticmethod(lambda: True)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """See paho's, which takes one packet."""
        while True:
            socket = self._sock
            if isinstance(socket, Buffered) and not self._in_packet["command"]:
                if not self.has_room():
                    # The silence is ours: an answer to a ping may lie behind what is not read.
                    socket.heard_at = time.monotonic()
                    self._is_alive()
                    return MQTTErrorCode.MQTT_ERR_SUCCESS
                try:
                    open_ = socket.fill()
                except OSError:
                    open_ = False
                if not open_:
                    # paho meets the same, and knows what to say of it.
                    return super().loop_read()
                self._deliver(socket)
                if not socket.pending():
                    return MQTTErrorCode.MQTT_ERR_SUCCESS
            error = super().loop_read()
            if error or not isinstance(socket, Buffered) or not socket.pending():
                return error

    def silent_s(self) -> float:
        """For how long the broker has sent nothing, not even an answer to a ping."""
        socket = self._sock
        return time.monotonic() - socket.heard_at if isinstance(socket, Buffered) else float("inf")

    def ping(self) -> None:
        """Ask for a sign of life now, whatever the keepalive is. What has been asked and is not answered yet is not asked again."""
        if self._ping_t == 0:
            self._send_pingreq()

    def ack_all(self, packets: Sequence[int]) -> None:
        """PUBACK for every one of these packet ids, in one piece."""
        if packets:
            self._packet_queue(_PUBACK, b"".join(b"\x40\x02" + _TWO_BYTES.pack(packet) for packet in packets), 0, 1)

    def _create_socket(self) -> Any:
        return Buffered(super()._create_socket())

    def _deliver(self, socket: Buffered) -> None:
        messages = list(socket.publishes())
        if messages:
            self._is_alive()
            self.on_messages(messages)
            if not self._manual_ack:
                self.ack_all([message.mid for message in messages if message.qos])

    def _is_alive(self) -> None:
        """Count what comes as a sign of life: behind a long queue an answer to a ping takes longer than the keepalive."""
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
