"""Real brokers as processes, real paho clients, and sockets that speak MQTT badly on purpose.

Alice's robot is the victim, Carlos holds valid credentials of another robot and is the attacker.
"""

import contextlib
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from croody_contract import mosquitto
from tests.patience import PATIENCE_S

PROGRAM = str(Path(sys.executable).with_name("croody-broker"))
ENGINES = ("amqtt", "mosquitto")
#: How long a broker that hangs, or has ended, is given to hang up.
GOODBYE_S = 3.0

ALICE, BOB, CARLOS, BRIDGE = "rover-alice", "rover-bob", "rover-carlos", mosquitto.BRIDGE_USER


def secret_of(user: str) -> str:
    return f"{user}-{'s' * 43}"


def wait_until(true: Callable[[], object], within_s: float = PATIENCE_S) -> bool:
    """Poll a condition; the time limit is what is tested, or a generous one."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


class Client:
    """A paho client that remembers what happened to it and never reconnects by itself."""

    def __init__(self, port: int, user: str, client_id: str | None = None, secret: str | None = None, **options: object) -> None:
        clean = bool(options.pop("clean", True))
        protocol = options.pop("protocol", mqtt.MQTTv311)
        will = options.pop("will", None)
        keepalive = options.pop("keepalive", 60)
        assert not options, options
        session = {} if protocol == mqtt.MQTTv5 else {"clean_session": clean}
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=user if client_id is None else client_id,
            protocol=protocol,
            reconnect_on_failure=False,
            **session,
        )
        self.paho.username_pw_set(user, secret_of(user) if secret is None else secret)
        if will is not None:
            self.paho.will_set(*will)
        self.code: int | None = None
        self.session_present = False
        self.granted: list[int] = []
        self.messages: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self.connected = threading.Event()
        self.gone = threading.Event()
        self._subscribed = threading.Event()
        self._sent: set[int] = set()
        self._news = threading.Condition()
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_publish = self._on_publish
        self.paho.on_message = lambda _client, _data, message: self.messages.put(message)
        self.paho.on_subscribe = self._on_subscribe
        self.before_connect()
        self.paho.connect("127.0.0.1", port, keepalive)
        self.paho.loop_start()

    def before_connect(self) -> None:
        """For those who add something to `paho`, TLS for example."""

    def _on_connect(self, _client: object, _data: object, flags: mqtt.ConnectFlags, code: mqtt.ReasonCode, _properties: object) -> None:
        self.code = code.value
        self.session_present = flags.session_present
        with self._news:
            if not code.is_failure:
                self.connected.set()
            self._news.notify_all()

    def _on_disconnect(self, *_: object) -> None:
        with self._news:
            self.gone.set()
            self._news.notify_all()

    def _on_publish(self, _client: object, _data: object, mid: int, _code: object, _properties: object) -> None:
        with self._news:
            self._sent.add(mid)
            self._news.notify_all()

    def _on_subscribe(self, _client: object, _data: object, _mid: int, codes: list[mqtt.ReasonCode], _properties: object) -> None:
        self.granted = [code.value for code in codes]
        self._subscribed.set()

    def up(self) -> "Client":
        assert self.connected.wait(PATIENCE_S), f"{self.paho._client_id!r} was refused: {self.code}"
        return self

    def comes_in(self) -> bool:
        """Whether it is let in: the broker's answer is waited for."""
        with self._news:
            self._news.wait_for(lambda: self.connected.is_set() or self.gone.is_set(), PATIENCE_S)
        return self.connected.is_set()

    def refused(self) -> bool:
        """Was told no, or cut off, and never got in."""
        return self.gone.wait(PATIENCE_S) and not self.connected.is_set()

    def subscribe(self, topic_filter: str, qos: int = 1) -> list[int]:
        self._subscribed.clear()
        self.paho.subscribe(topic_filter, qos)
        assert self._subscribed.wait(PATIENCE_S), f"no SUBACK for {topic_filter}"
        return self.granted

    def publish(self, topic: str, payload: bytes | str = b"x", qos: int = 1, retain: bool = False) -> None:
        """Returns when the broker acknowledged it, whatever it did with it, or ended the connection, which is how MQTT 3.1.1 says no.

        paho's own wait knows nothing of that end: it lasts as long as it may, or raises, as the threads happen to run.
        """
        mid = self.paho.publish(topic, payload, qos, retain).mid
        with self._news:
            told = self._news.wait_for(lambda: mid in self._sent or self.gone.is_set(), PATIENCE_S)
        assert told, f"no acknowledgement of {topic}, and no end"

    def next(self, within_s: float = PATIENCE_S) -> tuple[str, bytes]:
        message = self.messages.get(timeout=within_s)
        return message.topic, message.payload

    def drain(self) -> list[tuple[str, bytes]]:
        """Everything that came and was not asked for yet."""
        out = []
        with contextlib.suppress(queue.Empty):
            while True:
                message = self.messages.get_nowait()
                out.append((message.topic, message.payload))
        return out

    def topics(self) -> list[str]:
        """Topics of everything that came and was not asked for yet."""
        return [topic for topic, _ in self.drain()]

    def cut(self) -> None:
        """Lose the connection without a DISCONNECT, as a robot that is switched off does."""
        sock = self.paho.socket()
        assert sock is not None
        sock.shutdown(socket.SHUT_RDWR)
        assert self.gone.wait(PATIENCE_S)

    def close(self) -> None:
        """Say goodbye, and let the broker hang up: then it holds nothing of this connection that the next test could meet."""
        if self.connected.is_set() and not self.gone.is_set():
            # Under another name: at a DISCONNECT of its own paho hangs up itself, and the broker comes to it later.
            self.paho._packet_queue(mqtt.PINGREQ, b"\xe0\x00", 0, 0)
            self.gone.wait(GOODBYE_S)
        self.paho.disconnect()
        self.paho.loop_stop()
        # paho closes the pair of sockets that wakes its thread only when it is collected, and that comes too late.
        self.paho._reset_sockets()


@dataclass
class House:
    """A running broker and its files."""

    engine: str
    folder: Path
    port: int
    bridge_port: int
    process: subprocess.Popen[bytes]
    users: list[str]
    clients: list[Client] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)
    #: Robot -> branch of its vehicle's topics.
    vehicles: dict[str, str] = field(default_factory=dict)
    #: Made once: a hash that is made anew has another salt, and that is another secret to a broker.
    hashes: dict[str, str] = field(default_factory=dict)

    def client(self, user: str, client_id: str | None = None, **options: object) -> Client:
        made = Client(self.bridge_port if user == BRIDGE else self.port, user, client_id, **options)
        self.clients.append(made)
        return made

    def bridge(self, name: str = "tests") -> Client:
        """The bridge, subscribed to everything that robots say."""
        made = self.client(BRIDGE, f"{BRIDGE}:{name}").up()
        assert made.subscribe("croody/v1/+/up/#") == [1]
        return made

    def socket(self, data: bytes = b"") -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        self.sockets.append(made)
        made.sendall(data)
        return made

    def write_files(self, users: list[str] | None = None, acl: str | None = None) -> None:
        for user in [*(self.users if users is None else users), BRIDGE]:
            self.hashes.setdefault(user, mosquitto.hash_secret(secret_of(user)))
        robots = {user: self.hashes[user] for user in (self.users if users is None else users)}
        texts = mosquitto.render_files(robots, self.hashes[BRIDGE], vehicles=self.vehicles)
        if acl is not None:
            texts[mosquitto.ACL_NAME] = acl
        for name, text in texts.items():
            fresh = self.folder / f"{name}.new"
            fresh.write_text(text)
            fresh.rename(self.folder / name)

    def rss_bytes(self) -> int:
        """Memory of the broker's process."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def tidy(self) -> None:
        for each in self.clients:
            each.close()
        for each in self.sockets:
            each.close()
        self.clients.clear()
        self.sockets.clear()

    def sweep(self) -> None:
        """For a broker that goes on: nobody is connected any more, and what is held for the next bridge is taken away."""
        self.tidy()
        if self.engine == "amqtt":
            self.bridge("sweeper")
            # It is the last in the row, and acknowledged when those before it were.
            self.client(BOB).up().publish(f"croody/v1/{BOB}/up/telemetry", b"swept")
            self.tidy()

    def log(self) -> str:
        return (self.folder / "log").read_text()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def running(
    engine: str, folder: Path, ports: list[int], *more: str, files: bool = True, vehicles: dict[str, str] | None = None
) -> Iterator[House]:
    """A broker with the accounts of Alice, Bob and Carlos, until the block ends."""
    if engine == "mosquitto" and shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto")
    port, bridge_port = (ports[0], ports[0]) if engine == "amqtt" else ports
    house = House(engine, folder, port, bridge_port, process=None, users=[ALICE, BOB, CARLOS])  # type: ignore[arg-type]
    house.vehicles = vehicles or {}
    if files:
        house.write_files()
    command = [PROGRAM] if engine == "amqtt" else [PROGRAM, "mosquitto", "--bridge-bind", f"127.0.0.1:{bridge_port}"]
    command += ["--bind", f"127.0.0.1:{port}", "--passwd", str(folder / "passwd"), "--acl", str(folder / "acl"), *more]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log, stdout=log) as process:
        house.process = process
        try:
            expected = [int(each.rpartition(":")[2]) for each in command if each.startswith("127.0.0.1:")]
            assert wait_until(lambda: all(map(answers, expected))), house.log()
            yield house
        finally:
            house.tidy()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            finally:
                process.kill()


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for listener in held:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()


# -- packets by hand ---------------------------------------------------------------------------------------------------


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def packet(first: int, body: bytes) -> bytes:
    size = len(body)
    length = bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        length.append(digit | 0x80 if size else digit)
        if not size:
            return bytes([first]) + bytes(length) + body


def connect_packet(user: str, client_id: str | None = None, secret: str | None = None, keepalive: int = 60) -> bytes:
    flags = 0x80 | 0x40 | 0x02
    head = text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big")
    return packet(0x10, head + text(client_id or user) + text(user) + text(secret_of(user) if secret is None else secret))


def publish_packet(topic: str | bytes, payload: bytes = b"x", packet_id: int = 1, flags: int = 0x02) -> bytes:
    identity = packet_id.to_bytes(2, "big") if flags & 0x06 else b""
    return packet(0x30 | flags, text(topic) + identity + payload)


def closed_within(sock: socket.socket, seconds: float = PATIENCE_S) -> bool:
    """Say whether the other side ends the connection in time; what it sends before that is read and forgotten."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            if not sock.recv(65536):
                return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True
    return False
