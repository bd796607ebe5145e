"""One connection after CONNECT: reads its packets, writes its messages, keeps both bounded. Knows amqtt's handler.

Put in the place of amqtt's `BrokerProtocolHandler`. Nothing is queued in here: what comes in is routed before the next
packet is read, and what goes out stands in the socket's own buffer, whose size decides when a slow client is dropped.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from amqtt.adapters import StreamWriterAdapter
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.disconnect import DisconnectPacket
from amqtt.mqtt.packet import MQTTFixedHeader
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.protocol.handler import ProtocolHandler
from amqtt.mqtt.suback import SubackPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket

from croody_broker.frames import BodyReader, Frame, FrameReader, Malformed, Publish, build_publish, parse_publish
from croody_broker.policy import Admitted
from croody_broker.receipts import FIRST_NUMBER, Held
from croody_contract import vda5050
from croody_contract.connection_limits import one_address
from croody_contract.security import Kind
from croody_contract.topics import ROOT, is_plain

if TYPE_CHECKING:
    from croody_broker.broker import GuardedBroker

_Packet = TypeVar("_Packet", SubscribePacket, UnsubscribePacket)

#: A client may leave this many QoS 1 messages unacknowledged. MQTT has numbers for 65,535; those from `FIRST_NUMBER` on are `receipts`'.
MAX_UNACKED: Final = 30_000
#: A client may have this many QoS 2 publishes half done.
MAX_HALF_DONE: Final = 1_000
#: Whoever publishes to a client that is more than half way to being dropped waits this long, in seconds. One flooding
#: robot is slowed down by it before it can cost the bridge its connection; one at its usual rate does not notice.
_BRAKE_S: Final = 0.02
#: After so many packets from one client the others get a turn.
_TURN: Final = 16
#: A closed connection has this long to take what was still to be sent, in seconds.
_LINGER_S: Final = 1.0


class NotAllowed(Malformed):
    """A publish that its account may not make: MQTT 3.1.1 has no other way to say so than to close the connection."""

    def __init__(self, user: str, topic: str) -> None:
        super().__init__(f"{user} may not publish to {topic[:200]!r}: publish below {ROOT}/{user}/up/")
        self.topic = topic


class GuardedWriter(StreamWriterAdapter):  # type: ignore[misc]  # amqtt ships no types
    """amqtt's writer, but closing never waits for a peer that does not read."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer)
        self._transport = writer.transport

    def backlog(self) -> int:
        """Bytes the peer has not taken yet, beyond what the kernel holds."""
        return self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """Drop the connection and whatever was still to be sent."""
        self.is_closed = True
        self._transport.abort()

    async def close(self) -> None:
        """Send what is left, at most for `_LINGER_S`, and close. Does not wait."""
        if not self.is_closed:
            self.is_closed = True
            self._writer.close()
            asyncio.get_running_loop().call_later(_LINGER_S, self._transport.abort)


class GuardedHandler(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt ships no types
    """amqtt's handler with its own reading and writing. `GuardedBroker` calls `prepare` before amqtt starts it."""

    def prepare(
        self, broker: "GuardedBroker", frames: FrameReader, link: GuardedWriter, admitted: Admitted, keep_alive_s: int, now: float
    ) -> None:
        """Take what the CONNECT gave. `keep_alive_s`: 0 when the client wants none. `now`: loop time."""
        self.broker = broker
        self.frames = frames
        self.link = link
        #: Where it comes from; an IPv6 one as its network.
        self.address = one_address(str((link.get_peer_info() or ("",))[0]))
        self.admitted = admitted
        self.keep_alive_s = keep_alive_s
        #: Loop time of the last sign of life.
        self.last_in_s = now
        #: Why this connection ended, once it has.
        self.ended: str | None = None
        #: What it is subscribed to.
        self.filters: set[str] = set()
        #: It is not read because too many of its readings wait for their commit: so its silence says nothing.
        self.paused = False
        self._room = asyncio.Event()
        self._unacked: set[int] = set()
        self._half_done: set[int] = set()
        self._next_id = 0

    def alive(self) -> None:
        """Something came through from the client."""
        self.last_in_s = self._loop.time()

    async def start(self) -> None:
        """Begin to read. amqtt makes the waiter after it began, and so misses a client that left at once."""
        self._disconnect_waiter = asyncio.get_running_loop().create_future()
        await ProtocolHandler.start(self)

    async def handle_disconnect(self, disconnect: DisconnectPacket | None) -> None:
        """The connection is over: wake up whoever waits for that."""
        waiter: asyncio.Future[DisconnectPacket | None] | None = self._disconnect_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(disconnect)

    def end(self, reason: str) -> None:
        """End this connection from the broker's side, now."""
        self.ended = self.ended or reason
        self._room.set()
        self.link.abort()

    def send_publish(self, topic: str, payload: bytes, qos: int) -> bool:
        """Write a message out, or drop this client when it takes them too slowly.

        Returns whether it is more than half way to that, so that the sender is slowed down.
        """
        if self.link.is_closed:
            return False
        limit = self.broker.settings.max_backlog_bytes
        backlog = self.link.backlog() + len(payload)
        if backlog > limit:
            self.end(f"too slow: more than {limit} bytes wait for it")
            return False
        packet_id = 0
        if qos:
            if len(self._unacked) >= MAX_UNACKED:
                self.end(f"acknowledges nothing: {MAX_UNACKED} messages are open")
                return False
            packet_id = self._free_id()
        self.link.write(build_publish(topic, payload, packet_id))
        return 2 * backlog > limit or 2 * len(self._unacked) > MAX_UNACKED

    def _free_id(self) -> int:
        while True:
            self._next_id = self._next_id % (FIRST_NUMBER - 1) + 1
            if self._next_id not in self._unacked:
                self._unacked.add(self._next_id)
                return self._next_id

    async def _reader_loop(self) -> None:
        self._reader_ready.set()
        taken = 0
        try:
            while (frame := await self.frames.next(self.broker.settings.max_packet_bytes)) is not None:
                if self.ended is not None or not await self._take(frame):
                    break
                taken += 1
                if taken % _TURN == 0:
                    await asyncio.sleep(0)
        except Malformed as error:
            self.ended = self.ended or str(error)
            kind, topic = (Kind.DENIED_PUBLISH, error.topic) if isinstance(error, NotAllowed) else (Kind.MALFORMED, "")
            self.broker.complain(kind, self.admitted.user, f"connection closed: {error}")
            self.broker.notice(kind, address=self.address, account=self.admitted.user, known=True, topic=topic)
        except ConnectionError:
            self.ended = self.ended or "connection lost"
        except asyncio.CancelledError:
            self.ended = self.ended or "stopped"
        finally:
            self._reader_stopped.set()
            await self.handle_connection_closed()

    async def _take(self, frame: Frame) -> bool:
        """Handle one packet; `False` after a DISCONNECT.

        Raises:
            Malformed: what it holds breaks MQTT's rules, or Croody's on retained messages and on topics.
            ConnectionError: the peer went away meanwhile.
        """
        match frame.kind:
            case 3:
                await self._take_publish(frame)
            case 4:
                self._take_puback(_id_of(frame))
            case 6:
                self._half_done.discard(_id_of(frame))
                await self._answer(b"\x70\x02" + frame.body)
            case 8:
                await self._take_subscribe(frame)
            case 10:
                await self._take_unsubscribe(frame)
            case 12:
                await self._answer(b"\xd0\x00")
            case 14:
                if self.session is not None:
                    self.session.will_flag = False
                self.ended = self.ended or "said goodbye"
                return False
            case 5 | 7:
                raise Malformed(f"packet type {frame.kind}: answers a QoS 2 message, and none is ever sent")
            case _:
                raise Malformed(f"packet type {frame.kind}: not expected after CONNECT")
        return True

    def _take_puback(self, packet_id: int) -> None:
        if packet_id < FIRST_NUMBER:
            self._unacked.discard(packet_id)
        else:
            self.broker.receipts.acknowledged(self, packet_id)

    async def _take_publish(self, frame: Frame) -> None:
        message = parse_publish(frame)
        if not self.admitted.grant.may_publish(message.topic.split("/")):
            raise NotAllowed(self.admitted.user, message.topic)
        if message.retain and vda5050.parse_topic(message.topic) is None:
            raise Malformed("retained PUBLISH: nothing is retained here, clear the flag")
        answer = (b"\x50\x02" if message.qos == 2 else b"\x40\x02") + message.packet_id.to_bytes(2, "big")
        repeated = message.qos == 2 and message.packet_id in self._half_done
        if message.qos == 2 and not repeated:
            if len(self._half_done) >= MAX_HALF_DONE:
                raise Malformed(f"QoS 2: {MAX_HALF_DONE} publishes were begun and not finished")
            self._half_done.add(message.packet_id)
        if message.qos and is_plain(message.topic) and not (repeated and self._committed(message)):
            await self._hold(message, answer)
            await self._keep_to_rate(len(frame.body))
            return
        if not repeated:
            if self.broker.route(message.topic, message.payload, message.qos):
                await asyncio.sleep(_BRAKE_S)
            await self._keep_to_rate(len(frame.body))
        if message.qos:
            await self._answer(answer)

    def _committed(self, message: Publish) -> bool:
        return self.broker.receipts.find(self.admitted.client_id, message.packet_id) is None

    async def _hold(self, message: Publish, answer: bytes) -> None:
        """Answer only when a bridge has: see `receipts`. While too many wait, nothing more is read from this client.

        Raises:
            Malformed: its packet id is open, with another message.
        """
        receipts, client_id = self.broker.receipts, self.admitted.client_id
        held = receipts.find(client_id, message.packet_id)
        if held is not None and (held.publisher is self or message.again):
            if (held.topic, held.payload) == (message.topic, message.payload):
                held.publisher, held.answer = self, answer
                return
            if held.publisher is self:
                raise Malformed(f"PUBLISH: packet id {message.packet_id} is open, with another message")
        fresh = Held(client_id, message.packet_id, message.topic, message.payload, answer, self)
        while not receipts.room(client_id, fresh.size):
            self._room.clear()
            self.paused = True
            receipts.pause(self, client_id, fresh.size)
            await self._room.wait()
            self.paused = False
            self.alive()
            if self.ended is not None:
                return
        self.broker.route_held(fresh)

    def answer_held(self, answer: bytes) -> None:
        """See `Publisher`."""
        if not self.link.is_closed:
            self.link.write(answer)

    def go_on(self) -> None:
        """See `Publisher`."""
        self._room.set()

    def carry(self, topic: str, payload: bytes, number: int, *, again: bool) -> None:
        """See `Carrier`."""
        if not self.link.is_closed:
            self.link.write(build_publish(topic, payload, number, again=again))

    async def _keep_to_rate(self, size: int) -> None:
        """Read no further until the account is within its rate again: TCP slows the sender down."""
        debt_s = self.broker.rates.take(self.admitted.user, size, self._loop.time())
        if debt_s > 0:
            self.broker.complain(
                "rate", self.admitted.user, f"publishes more than its share of {self.broker.rates.bytes_s} bytes/s: slowed down"
            )
            await asyncio.sleep(debt_s)

    async def _take_subscribe(self, frame: Frame) -> None:
        packet = await _decoded(SubscribePacket, frame)
        wanted = packet.payload.topics if packet.payload is not None else []
        if not wanted or any(qos > 2 for _, qos in wanted):
            raise Malformed("SUBSCRIBE: no filter, or a QoS above 2")
        codes = [await self.broker.subscribe(topic_filter, qos, self) for topic_filter, qos in wanted]
        await self._answer(SubackPacket.build(packet.variable_header.packet_id, codes).to_bytes())

    async def _take_unsubscribe(self, frame: Frame) -> None:
        packet = await _decoded(UnsubscribePacket, frame)
        if not packet.payload.topics:
            raise Malformed("UNSUBSCRIBE: no filter")
        for topic_filter in packet.payload.topics:
            self.broker.remove_subscription(topic_filter, self)
        await self._answer(b"\xb0\x02" + packet.variable_header.packet_id.to_bytes(2, "big"))

    async def _answer(self, data: bytes) -> None:
        """Write a small packet; a client that does not read its answers is not read either."""
        self.link.write(data)
        await self.link.drain()


def _id_of(frame: Frame) -> int:
    if len(frame.body) != 2:
        raise Malformed(f"packet type {frame.kind}: {len(frame.body)} bytes, expected a packet id of 2")
    return int.from_bytes(frame.body, "big")


async def _decoded(kind: type[_Packet], frame: Frame) -> _Packet:
    body = BodyReader(frame.body)
    header = MQTTFixedHeader(frame.kind, frame.flags, len(frame.body))
    with suppress(AMQTTError, MQTTError, NoDataError, ValueError):
        packet = await kind.from_stream(body, header)
        if body.used_exactly:
            return packet
    raise Malformed(f"packet type {frame.kind}: its parts do not add up to its length")
