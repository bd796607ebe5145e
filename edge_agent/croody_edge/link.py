"""The MQTT connection of one robot, kept up by a thread of its own. The only import of paho.

Knows addresses, credentials, keepalive and reconnecting; knows nothing of records. Every connection is a fresh client with a clean
session, so nothing of an old one comes back unasked. What happens is put into a box that the agent empties in its own thread:
no code of the agent's runs inside paho. A broken connection is logged once when lost and once when back.
"""

import logging
import select
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from croody_contract import topics
from croody_edge.settings import BrokerAddress

log = logging.getLogger("croody.link")

_BACKOFF_S: Final = (0.1, 10.0)
#: Each wait is this much longer: with it a broker that was away for long is found again within half of that time more.
_BACKOFF_GROWTH: Final = 1.5
_CONNECT_S: Final = 5.0
#: How long a broker may take to answer CONNECT, seconds.
_CONNACK_S: Final = 10.0
#: paho gives a silent peer up after twice its own keepalive; with this share of ours that is within 1.5 times ours.
_KEEPALIVE_SHARE: Final = 0.7
#: Happenings that wait for the agent; beyond it the oldest go, as what is lost with them is asked for again.
_BOX: Final = 4096
_NO_MESSAGE: Final = 128
#: A connection that lasted this long was a good one: the next wait is short again, seconds.
_GOOD_S: Final = 1.0
#: How long `close` waits for the thread, seconds.
_END_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Up:
    """Connected and subscribed."""


@dataclass(frozen=True, slots=True)
class Down:
    """No longer connected."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The broker took the publish with this token."""

    token: int


@dataclass(frozen=True, slots=True)
class Message:
    """Something for the robot."""

    topic: str
    payload: bytes


Happening = Up | Down | Confirmed | Message


class Link:
    """One robot's way to whichever broker of its list answers."""

    def __init__(
        self,
        brokers: Sequence[BrokerAddress],
        robot_id: str,
        secret: str,
        *,
        will: tuple[str, bytes],
        keepalive_s: int,
        qos: int,
        suffix: str,
        ca_file: Path | None = None,
        on_news: Callable[[], None] = lambda: None,
        random: Random | None = None,
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            brokers: tried in shuffled order, again and again.
            robot_id: the user name; the client id is `robot_id:suffix`.
            secret: the password.
            will: topic and payload that the broker publishes when this side is lost.
            keepalive_s: a dead peer is noticed within 1.5 times this, in seconds.
            qos: 0 or 1, for everything that is published.
            suffix: tells two clients of one robot apart.
            ca_file: certificate (PEM) that signs the brokers', instead of the system's.
            on_news: called from the link's thread when `take` has something; must not raise.
            random: for order and jitter.

        Raises:
            OSError: the certificate file cannot be used.
            ValueError: no brokers.
        """
        if not brokers:
            raise ValueError("brokers is empty: give one address at least")
        self._brokers, self._robot_id, self._secret, self._will = list(brokers), robot_id, secret, will
        self._qos, self._suffix, self._on_news = qos, suffix, on_news
        self._keepalive_s = max(1, int(keepalive_s * _KEEPALIVE_SHARE))
        self._random = random or Random()
        self._tls = ssl.create_default_context(cafile=ca_file) if any(broker.tls for broker in brokers) else None
        self._box: deque[Happening] = deque(maxlen=_BOX)
        self._guard = Lock()
        self._client: mqtt.Client | None = None
        self._stop = Event()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._thread: Thread | None = None
        self._said_lost = False

    def start(self) -> None:
        """Connect in the background, and stay connected. Call it again whenever you like: a thread that died is replaced."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self._thread is not None and not self._stop.is_set():
            log.error("link %s: its thread had ended; a new one begins", self._robot_id)
        self._thread = Thread(target=self._run, name=f"link-{self._robot_id}", daemon=True)
        self._thread.start()

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Hand a message over. Returns its token, or None while there is no connection; a `Confirmed` follows."""
        with self._guard:
            client = self._client
        if client is None:
            return None
        info = client.publish(topic, payload, self._qos)
        self._wake()
        return info.mid if info.rc == mqtt.MQTT_ERR_SUCCESS else None

    def take(self) -> list[Happening]:
        """Everything that happened since the last call, in order."""
        taken: list[Happening] = []
        while self._box:
            taken.append(self._box.popleft())
        return taken

    def close(self, goodbye: tuple[str, bytes] | None = None, wait_s: float = 1.0) -> None:
        """Say goodbye when connected, wait at most `wait_s` until the broker has it, and end the thread."""
        until = monotonic() + wait_s
        token = self.publish(*goodbye) if goodbye else None
        while token is not None and monotonic() < until and self._client is not None:
            if Confirmed(token) in self.take():
                break
            self._stop.wait(0.01)
        self._stop.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(_END_S)
            if self._thread.is_alive():
                return  # It waits for a peer that does not answer, and ends with the process.
        for end in (self._wake_out, self._wake_in):
            end.close()

    # in the link's own thread

    def _run(self) -> None:
        wait_s = _BACKOFF_S[0]
        round_: list[BrokerAddress] = []
        while not self._stop.is_set():
            if not round_:
                round_ = self._random.sample(self._brokers, len(self._brokers))
            broker = round_.pop()
            began = monotonic()
            was_up, reason = self._once(broker)
            if self._stop.is_set():
                return
            if not self._said_lost:
                self._said_lost = True
                log.warning("link %s: %s %s: %s; trying again", self._robot_id, "lost" if was_up else "cannot reach", broker, reason)
            if was_up and monotonic() - began >= _GOOD_S:
                wait_s = _BACKOFF_S[0]
            if was_up or not round_:
                self._stop.wait(self._random.uniform(0.5, 1.0) * wait_s)
                wait_s = min(wait_s * _BACKOFF_GROWTH, _BACKOFF_S[1])

    def _once(self, broker: BrokerAddress) -> tuple[bool, str]:
        """One connection from its first to its last byte. Returns whether it came up, and why it ended."""
        life = _Life()
        client = self._fresh(broker, life)
        try:
            client.connect(broker.host, broker.port, self._keepalive_s)
            self._turn(client, life)
        except (OSError, ValueError, LookupError, struct.error) as error:  # the last two: bytes that are not MQTT
            life.reason = life.reason or str(error) or type(error).__name__
        finally:
            with self._guard:
                self._client = None
            if life.up:
                self._put(Down())
            _shut(client)
        return life.up, life.reason or "the connection was closed"

    def _turn(self, client: mqtt.Client, life: "_Life") -> None:
        """Move bytes until the connection ends. With poll, since select ends at 1,024 open files."""
        sock = client.socket()
        if sock is None:
            return
        number = sock.fileno()
        poller = select.poll()
        poller.register(self._wake_in, select.POLLIN)
        poller.register(number, select.POLLIN)
        until = monotonic() + _CONNACK_S
        pause_ms = int(1000 * min(1.0, self._keepalive_s / 8))
        while client.socket() is not None:
            poller.modify(number, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
            pending = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            ready = dict(poller.poll(0 if pending else pause_ms))
            if self._wake_in.fileno() in ready:
                self._drain_wake()
            if self._stop.is_set():
                if client.is_connected():
                    client.disconnect()
                    client.loop_write()
                return
            if pending or ready.get(number, 0) & ~select.POLLOUT:
                code = client.loop_read()
                if code != mqtt.MQTT_ERR_SUCCESS:
                    life.reason = life.reason or mqtt.error_string(code)
                    return
            if client.want_write() and client.socket() is not None:
                client.loop_write()
            if client.socket() is not None:
                code = client.loop_misc()
                if code != mqtt.MQTT_ERR_SUCCESS:
                    life.reason = life.reason or "no answer from the broker"
                    return
            if not life.up and monotonic() > until:
                life.reason = life.reason or f"no CONNACK within {_CONNACK_S:g} s"
                return

    def _fresh(self, broker: BrokerAddress, life: "_Life") -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{self._robot_id}:{self._suffix}",
            clean_session=True,
            protocol=mqtt.MQTTv311,
        )
        client.username_pw_set(self._robot_id, self._secret)
        client.will_set(*self._will, qos=min(self._qos, 1), retain=False)
        client.connect_timeout = _CONNECT_S
        if broker.tls and self._tls is not None:
            client.tls_set_context(self._tls)
        # With a callback here paho leaves all writing to this thread.
        client.on_socket_register_write = lambda *_: None

        def on_connect(connected: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
            if code.is_failure:
                life.reason = f"refused: {code}"
                return
            connected.subscribe(topics.down_filter(self._robot_id), qos=0)

        def on_subscribe(connected: mqtt.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
            if any(code.value >= _NO_MESSAGE for code in codes):
                life.reason = "the broker refuses the subscription to the robot's own down topics"
                connected.disconnect()
                return
            life.up = True
            with self._guard:
                self._client = connected
            if self._said_lost:
                self._said_lost = False
                log.info("link %s: back, on %s", self._robot_id, broker)
            else:
                log.info("link %s: connected to %s", self._robot_id, broker)
            self._put(Up())

        def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
            try:
                topic = message.topic
            except UnicodeDecodeError as error:
                log.warning("link %s: a topic that is not UTF-8 is passed over: %s", self._robot_id, error)
                return
            self._put(Message(topic, bytes(message.payload)))

        def on_publish(_client: mqtt.Client, _data: Any, mid: int, _code: Any, _properties: Any) -> None:
            self._put(Confirmed(mid))

        client.on_connect, client.on_subscribe = on_connect, on_subscribe
        client.on_message, client.on_publish = on_message, on_publish
        return client

    def _put(self, happening: Happening) -> None:
        self._box.append(happening)
        self._on_news()

    def _wake(self) -> None:
        try:
            self._wake_out.send(b"\0")
        except (BlockingIOError, OSError):
            return  # Full: it is awake already. Closed: nobody is left to wake.

    def _drain_wake(self) -> None:
        try:
            self._wake_in.recv(4096)
        except BlockingIOError:
            return


@dataclass(slots=True)
class _Life:
    """What became of one connection."""

    up: bool = False
    reason: str = ""


def _shut(client: mqtt.Client) -> None:
    """Close the socket of a client that is given up, without another word to the peer."""
    sock = client.socket()
    if sock is not None:
        sock.close()
