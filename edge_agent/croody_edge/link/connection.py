"""One MQTT connection from its first to its last byte, over TCP or a WebSocket. The only import of paho.

Every connection is a fresh client with a clean session, so nothing of an old one comes back unasked. What happens on it is told in the
thread that moves its bytes; `publish` may be called from any.
"""

import logging
import select
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from croody_contract import topics
from croody_edge.link import remedies
from croody_edge.link.address import BrokerAddress
from croody_edge.link.proxy import STRAIGHT, Proxies, through
from croody_edge.link.remedies import Reason
from croody_edge.link.self_pipe import SelfPipe
from croody_edge.link.tunnel import Tunnel, dig
from croody_edge.texts import text

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

log = logging.getLogger("croody.link")

_CONNECT_S: Final = 5.0
#: How long a broker may take to answer CONNECT, seconds.
_CONNACK_S: Final = 10.0
#: paho gives a silent peer up after twice its own keepalive; with this share of ours that is within 1.5 times ours.
_KEEPALIVE_SHARE: Final = 0.7
#: What CONNACK says of a wrong secret, as MQTT 5 numbers it: a bad user name or password, not authorized.
_NO_SUCH_SECRET: Final = (134, 135)
#: From here on a code of SUBACK is a refusal.
_REFUSED: Final = 128


@dataclass(frozen=True, slots=True)
class Up:
    """Connected and subscribed, with this secret."""

    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Down:
    """No longer connected."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The broker answered the publish with this token; `refused` when it said, in MQTT 5, that it does not take it."""

    token: int
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """Something for the robot."""

    topic: str
    payload: bytes


Happening = Up | Down | Confirmed | Message


@dataclass(frozen=True, slots=True)
class Account:
    """As whom a robot connects: the same at every broker and every time."""

    robot_id: str
    secret: str = field(repr=False)
    #: Topic and payload that the broker publishes when this side is lost; None: nothing.
    will: tuple[str, bytes] | None
    keepalive_s: int
    qos: int
    #: Tells two clients of one robot apart.
    suffix: str
    ca_file: Path | None = None
    proxies: Proxies = STRAIGHT
    #: MQTT 5 instead of 3.1.1: a broker then says when it does not take a publish.
    mqtt5: bool = False


class _Client(mqtt.Client):
    """Paho's, with a WebSocket of ours where `dig` makes one: `websocket` says why. `reach` goes through a proxy."""

    dig: Callable[[], Tunnel] | None = None
    reach: Callable[[], socket.socket] | None = None
    #: Called when the broker has answered a ping; paho has no callback for it.
    ponged: Callable[[], None] | None = None

    def _handle_pingresp(self) -> MQTTErrorCode:
        if self.ponged is not None:
            self.ponged()
        return super()._handle_pingresp()

    def _create_socket_connection(self) -> socket.socket:
        return self.reach() if self.reach is not None else super()._create_socket_connection()

    def _create_socket(self) -> "SocketLike":
        return self.dig() if self.dig is not None else super()._create_socket()


class Connection:
    """Use once: `live`, while others `publish`."""

    def __init__(
        self, account: Account, broker: BrokerAddress, tls: ssl.SSLContext | None, wake: SelfPipe, tell: Callable[[Happening], None]
    ) -> None:
        """Nothing is opened before `live`.

        Args:
            account: as whom.
            broker: whither.
            tls: whom to trust, where the address asks for TLS.
            wake: ends the wait for bytes; notified by `publish`.
            tell: called from `live` with everything that happens.
        """
        self.broker = broker
        self.reason: Reason | None = None
        self.was_up = False
        #: Whether the broker did not take the secret; another one may do.
        self.secret_refused = False
        #: When the broker last answered something of ours, in seconds of the monotonic clock; 0 before it did.
        self.answered_s = 0.0
        self._account, self._tls, self._wake, self._tell = account, tls, wake, tell
        self._keepalive_s = max(1, int(account.keepalive_s * _KEEPALIVE_SHARE))
        session: dict[str, Any] = {"protocol": mqtt.MQTTv5} if account.mqtt5 else {"protocol": mqtt.MQTTv311, "clean_session": True}
        self._client = client = _Client(CallbackAPIVersion.VERSION2, client_id=f"{account.robot_id}:{account.suffix}", **session)
        client.username_pw_set(account.robot_id, account.secret)
        if account.will is not None:
            client.will_set(*account.will, qos=min(account.qos, 1), retain=False)
        client.connect_timeout = _CONNECT_S
        if broker.tls and tls is not None:
            client.tls_set_context(tls)
        # With a callback here paho leaves all writing to this thread.
        client.on_socket_register_write = lambda *_: None
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_message, client.on_publish = self._on_message, self._on_publish
        client.ponged = self._answered

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Hand a message over. Returns its token, or None when it could not be taken; a `Confirmed` follows."""
        info = self._client.publish(topic, payload, self._account.qos)
        self._wake.notify()
        return info.mid if info.rc == mqtt.MQTT_ERR_SUCCESS else None

    def live(self, stop: Event) -> Reason:
        """Connect, and move bytes until it ends or `stop` is set. Returns why it ended."""
        broker = self.broker
        proxy = self._account.proxies.to(broker.host, broker.port, "https") if broker.tls else None
        if proxy is not None:
            self._client.reach = partial(through, proxy, broker.host, broker.port, _CONNECT_S)
        if broker.path:
            self._client.dig = partial(dig, broker, self._tls, stop, reach=self._client.reach)
        try:
            self._client.connect(self.broker.host, self.broker.port, self._keepalive_s)
            self._turn(stop)
        except (OSError, ValueError, LookupError, struct.error) as error:  # the last two: bytes that are not MQTT
            self._because(remedies.of_error(error, self.broker, self._account.ca_file, datetime.now(UTC)))
        finally:
            if self.was_up:
                self._tell(Down())
            # Without another word to the peer.
            sock = self._client.socket()
            if sock is not None:
                sock.close()
        return self.reason or (Reason(text("link.closed")) if self.was_up else remedies.of_silence(self.broker))

    def _turn(self, stop: Event) -> None:
        """Move bytes until the connection ends. With poll, since select ends at 1,024 open files."""
        client = self._client
        sock = client.socket()
        if sock is None:
            return
        tunnel = sock if isinstance(sock, Tunnel) else None
        number = sock.fileno()
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        poller.register(number, select.POLLIN)
        until = monotonic() + _CONNACK_S
        pause_ms = int(1000 * min(1.0, self._keepalive_s / 8))
        while client.socket() is not None:
            unsent = client.want_write() or (tunnel is not None and tunnel.unsent() > 0)
            poller.modify(number, select.POLLIN | (select.POLLOUT if unsent else 0))
            pending = isinstance(sock, (ssl.SSLSocket, Tunnel)) and sock.pending() > 0
            ready = dict(poller.poll(0 if pending else pause_ms))
            if self._wake.fileno() in ready:
                self._wake.clear()
            if stop.is_set():
                if client.is_connected():
                    client.disconnect()
                    client.loop_write()
                return
            if pending or ready.get(number, 0) & ~select.POLLOUT:
                code = client.loop_read()
                if code != mqtt.MQTT_ERR_SUCCESS:
                    if tunnel is not None and tunnel.trouble:
                        self._because(Reason(tunnel.trouble))
                    # What paho calls a lost connection is, before a CONNACK, a peer that never spoke.
                    if self.was_up or code != mqtt.MQTT_ERR_CONN_LOST:
                        self._because(Reason(mqtt.error_string(code)))
                    return
            if client.want_write() and client.socket() is not None:
                client.loop_write()
            if tunnel is not None and client.socket() is not None:
                tunnel.flush()
            if client.socket() is not None and client.loop_misc() != mqtt.MQTT_ERR_SUCCESS:
                self._because(Reason(text("link.no_answer")))
                return
            if not self.was_up and monotonic() > until:
                self._because(Reason(text("link.no_connack", seconds=_CONNACK_S)))
                return

    def _answered(self) -> None:
        self.answered_s = monotonic()

    def _because(self, reason: Reason) -> None:
        """The first reason is the cause, later ones are its consequences."""
        self.reason = self.reason or reason

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self.secret_refused = code.value in _NO_SUCH_SECRET
            self._because(remedies.of_refusal(str(code), self._account.robot_id))
            return
        client.subscribe(topics.down_filter(self._account.robot_id), qos=0)

    def _on_subscribe(self, client: mqtt.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        if any(code.value >= _REFUSED for code in codes):
            self._because(Reason(text("link.no_subscription")))
            client.disconnect()
            return
        self.was_up = True
        self._answered()
        self._tell(Up(self._account.secret))

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as error:
            log.warning("link %s: a topic that is not UTF-8 is passed over: %s", self._account.robot_id, error)
            return
        if topic == topics.build(topics.DownAck(self._account.robot_id)):
            self._answered()
        self._tell(Message(topic, bytes(message.payload)))

    def _on_publish(self, _client: mqtt.Client, _data: Any, mid: int, code: Any, _properties: Any) -> None:
        if self._account.qos:  # Without it this says only that the bytes are out.
            self._answered()
        self._tell(Confirmed(mid, code.is_failure))
