"""The bridge's sockets and threads around the pure handler. Imports paho, as `client` does and nothing else in the cloud.

Its threads: the network's (paho), which only queues; two for relays, which take greedily whatever is queued, the second only while
there is enough for both; and the outgoing one. What dies is noticed by `healthy`, and the process ends so that it can be started again.

Plain readings are acknowledged to the broker by hand, after the commit; everything else when it came, since it is sent again
by whoever wants to be sure. The session lasts where the broker has such: what a bridge had when it was killed comes again.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from croody.bridge import api, handler
from croody.bridge.client import Came, Client
from croody.bridge.courier import Courier, Outage
from croody.bridge.gather import Gatherer
from croody.bridge.handler import Item
from croody.bridge.inbox import LANES, Inbox, Message
from croody.bridge.noticed import Noticed
from croody.bridge.receipts import Receipts
from croody.bridge.robot_limits import RobotLimits
from croody.bridge.settings import Settings
from croody_contract import mosquitto, relay, security, topics, vda5050
from croody_contract.limits import ACK_MERGE_S

log = logging.getLogger(__name__)
#: Seconds between two questions for outgoing rows when the API does not say otherwise.
POLL_S: Final = 0.4
#: Mosquitto under a flood comes to a ping only after the acknowledgements before it, one a round of all its sockets.
KEEPALIVE_S: Final = 30
#: A broker that is silent for so long, in seconds, is asked for a sign of life; and one that gives none for so long is not heard: then
#: nothing is said to the API, which notices that. The connection is given up by the keepalive alone.
ASK_AFTER_S: Final = 1.0
HEARS_S: Final = 2.5


def _send_at_once(client: mqtt.Client, userdata: Any, sock: Any) -> None:
    """An acknowledgement is small: without this the kernel keeps it back until the one before has arrived."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Bridge:
    """One bridge between a broker and a telemetry API."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._listening = threading.Event()
        self._said_refused = False
        self._inbox = Inbox()
        self._robot_limits = RobotLimits()
        self._gatherer = Gatherer(self._inbox, self._robot_limits)
        self._merger = handler.AckMerger()
        self._acks_lock = threading.Lock()
        self._outgoing_api = api.Api(settings.telemetry_url, settings.token)
        self._receipts = Receipts(settings.client_id, settings.session, lambda packets: self._client.ack_all(packets))
        self._noticed = Noticed(api.Api(settings.telemetry_url, settings.token), self._stop)
        outage = Outage()
        self._couriers = [self._make_courier(outage) for _ in LANES]
        self._threads: list[threading.Thread] = []
        group = f"$share/{mosquitto.share_group(settings.password)}/" if settings.share else ""
        self._wanted = f"{group}{topics.UP_FILTER}"
        self._astray = f"{group}{topics.ASTRAY_FILTER}"
        self._vehicles = [f"{group}{each}" for each in vda5050.FILTERS]
        self._client = self._make_client()

    def start(self) -> None:
        """Begin. Connects in the background, and again whenever the connection is lost."""
        before = set(threading.enumerate())
        self._client.connect_async(self._settings.host, self._settings.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        # paho keeps its thread to itself, and an error in a callback ends it in silence: find it, to be watched.
        self._threads = [thread for thread in threading.enumerate() if thread not in before]
        loops: list[Callable[[], None]] = [partial(self._relay_loop, lane) for lane in LANES]
        for target in (*loops, self._outgoing_loop, self._acks_loop, self._noticed.run):
            thread = threading.Thread(target=target, daemon=True)
            thread.start()
            self._threads.append(thread)

    def healthy(self) -> bool:
        """Say whether every thread lives."""
        return all(thread.is_alive() for thread in self._threads)

    def listening(self) -> bool:
        """Say whether the broker has let us in and subscribed us."""
        return self._listening.is_set()

    def stop(self, within_s: float = 1.6) -> None:
        """End. What is queued gets a last second to be relayed: less is sent again then."""
        until = time.monotonic() + within_s
        if self._listening.is_set():
            if self._settings.leaves:
                # Else our share of what comes would wait for our return.
                self._client.unsubscribe([self._wanted, self._astray, *self._vehicles])
            while time.monotonic() < until - 0.6 and not self._inbox.idle():
                time.sleep(0.02)
        self._stop.set()
        self._flush_acks()
        self._client.disconnect()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _make_courier(self, outage: Outage) -> Courier:
        post = api.Api(self._settings.telemetry_url, self._settings.token).post
        return Courier(post, self._take_acks, self._stop, encode=self._encode, settled=self._settle, over=self._rest, outage=outage)

    def _make_client(self) -> Client:
        name = self._settings.client_id
        client = Client(CallbackAPIVersion.VERSION2, name, clean_session=False, protocol=mqtt.MQTTv311, manual_ack=True)
        client.username_pw_set(mosquitto.BRIDGE_USER, self._settings.password)
        # Bridges are few: no crowd comes back at once, and robots wait for them.
        client.reconnect_delay_set(min_delay=1, max_delay=1)
        if self._settings.tls:
            client.tls_set(ca_certs=self._settings.ca_file or None)
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda _client, _data, message: self._on_messages([message])
        client.on_messages = self._on_messages
        client.has_room = self._receipts.has_room
        return client

    def _on_connect(self, client: mqtt.Client, userdata: Any, flags: mqtt.ConnectFlags, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            if not self._said_refused:
                log.error("the broker refuses us: %s; is BRIDGE_MQTT_PASSWORD the one in its file? trying again", reason)
            self._said_refused = True
            return
        self._said_refused = False
        self._receipts.connected()
        told = [(mosquitto.DROPPED_TOPIC, 0), (security.TOPIC, 0)]
        client.subscribe([(self._wanted, 1), (self._astray, 1), *((each, 1) for each in self._vehicles), *told])

    def _on_subscribe(self, client: mqtt.Client, userdata: Any, mid: int, reasons: list[ReasonCode], properties: Any) -> None:
        # A broker that still has the rules of before does not grant the second, and only Mosquitto has the third.
        if reasons[0].is_failure:
            log.error("the broker lets us in and refuses the subscription: does its acl file hold the bridge's rules? trying again")
            client.disconnect()
            return
        log.info("listening to the broker at %s:%d", self._settings.host, self._settings.port)
        self._listening.set()

    def _on_disconnect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if self._listening.is_set() and not self._stop.is_set():
            log.warning("the broker at %s:%d is lost: %s; trying again", self._settings.host, self._settings.port, reason)
        self._receipts.lost()
        self._listening.clear()

    def _on_messages(self, messages: Sequence[Came | mqtt.MQTTMessage]) -> None:
        fresh: list[Message] = []
        owed: list[int] = []
        for message in messages:
            try:
                topic = message.topic
            except UnicodeDecodeError as error:
                topic = error.object.decode("utf-8", "backslashreplace")
            payload, packet = bytes(message.payload), message.mid if message.qos else 0
            if message.retain and topic != mosquitto.DROPPED_TOPIC:
                # Mosquitto's memory of what came before we subscribed, where there are vehicles: it was told then.
                if packet:
                    owed.append(packet)
                continue
            if topic == security.TOPIC:
                self._noticed.put(payload)
                continue
            if topics.is_plain(topic):
                delivery = self._receipts.take(packet, topic, payload, again=message.dup)
                if delivery is not None:
                    fresh.append(Message(topic, payload, delivery))
                continue
            fresh.append(Message(topic, payload))
            if packet:
                owed.append(packet)
            if topic == mosquitto.DROPPED_TOPIC and payload != b"0":
                log.error(
                    "Mosquitto has dropped %s messages since it was started; see croody dead list", payload[:19].decode("ascii", "replace")
                )
        left_out = self._inbox.put_all(fresh)
        self._client.ack_all(owed)
        if left_out:
            self._receipts.settle([message.delivery.number for message in left_out])

    def _relay_loop(self, lane: int) -> None:
        while not self._stop.is_set():
            lanes = self._inbox.claim(0.5, lane)
            items = self._gatherer.gather(lanes) if lanes else []
            if items:
                self._couriers[lane].deliver(items)
            if lanes:
                self._inbox.release(lanes)

    def _rest(self, robots: Sequence[str]) -> None:
        self._robot_limits.rest(robots, time.monotonic())

    def _encode(self, items: Sequence[Item]) -> bytes:
        return handler.encode(items, self._receipts.sender(), self._receipts.stale())

    def _settle(self, items: Sequence[Item]) -> None:
        self._receipts.settle(handler.numbers(items))

    def _take_acks(self, acks: Sequence[relay.RobotAck]) -> None:
        with self._acks_lock:
            self._merger.add(acks)
        if not len(self._inbox):
            self._flush_acks()

    def _acks_loop(self) -> None:
        full = False
        while not self._stop.wait(ACK_MERGE_S / 2):
            self._flush_acks()
            left_out = self._inbox.take_left_out()
            if left_out and not full:
                log.warning("the queue is full: messages are left out; robots send their batches again, plain readings do not come again")
            full = bool(left_out) or (full and not self._inbox.idle())

    def _flush_acks(self) -> None:
        with self._acks_lock:
            publishes = self._merger.take()
        self._publish(publishes)

    def _outgoing_loop(self) -> None:
        wait_s = POLL_S
        while not self._stop.wait(wait_s):
            wait_s = POLL_S
            # Rows handed out count as sent: ask only while they can be published.
            if not self._listening.is_set() or not self._hears():
                continue
            due = self._due()
            if due is not None:
                self._publish(handler.outgoing(due))
                wait_s = min(POLL_S, due.next_s)

    def _hears(self) -> bool:
        """Whether the broker gives signs of life. One that hangs keeps its connections, and takes what is sent to it."""
        silent_s = self._client.silent_s()
        if silent_s > ASK_AFTER_S:
            self._client.ping()
        return silent_s < HEARS_S

    def _due(self) -> relay.Due | None:
        try:
            reply = self._outgoing_api.post(api.OUTGOING, msgspec.json.encode(relay.Asks(_version(), len(self._inbox))))
            return relay.decode_due(reply.body) if reply.status == 200 else None
        except (api.Unreachable, msgspec.MsgspecError):
            # Said once by the courier when it meets the same outage.
            return None

    def _publish(self, publishes: Sequence[handler.Publish]) -> None:
        for publish in publishes:
            self._client.publish(publish.topic, publish.payload, qos=0)


@cache
def _version() -> str:
    try:
        return version("croody")
    except PackageNotFoundError:
        return ""
