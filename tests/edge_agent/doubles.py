"""What stands on the other side of an agent in these tests: a real broker as a process, and a cloud that keeps a ledger in memory.

The ledger follows docs/reference/protocol.md, on the contract's own range arithmetic. Faults are switches on it, never patches.
"""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest

from croody_contract import mosquitto, ranges, topics
from croody_contract.batch import payload_hash, unpack
from croody_contract.messages import Ack, Answer, Outgoing, Presence, Reading, Tombstone, decode_record, encode
from croody_contract.ranges import Ranges
from croody_edge.link.address import BrokerAddress
from croody_edge.settings import Settings
from tests.patience import PATIENCE_S

ROBOT = "rover-alice"
SECRET = "s" * 43
BRIDGE = mosquitto.BRIDGE_USER
BRIDGE_SECRET = "b" * 43
#: Nothing listens on the discard port.
NOBODY = BrokerAddress("127.0.0.1", 9)


def wait_until(true: Callable[[], object], within_s: float = PATIENCE_S) -> bool:
    """Poll a condition."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


def reading(number: int, **more: Any) -> Reading:
    """A reading that can be told from every other."""
    return Reading(data={"n": number, **more}, ts=datetime.fromtimestamp(1_790_000_000 + number, UTC))


class Counting:
    """A source of numbered readings."""

    def __init__(self, interval_s: float = 0.01) -> None:
        self.interval_s = interval_s
        self.count = 0
        self.closed = False

    def read(self, now: float) -> Reading | None:
        self.count += 1
        return reading(self.count)

    def close(self) -> None:
        self.closed = True


class Silent:
    """A source that never has anything."""

    interval_s = 1.0

    def read(self, now: float) -> Reading | None:
        return None

    def close(self) -> None:
        pass


@dataclass
class Books:
    """The ledger of one stream."""

    have: dict[int, str] = field(default_factory=dict)
    dropped: Ranges = ranges.EMPTY
    known_last: int = 0

    def missing(self) -> Ranges:
        everything: Ranges = ((1, self.known_last),) if self.known_last else ranges.EMPTY
        return ranges.subtract(ranges.subtract(everything, ranges.of(self.have)), self.dropped)


class Ledger:
    """What the database would hold, and which acknowledgement a commit gives."""

    def __init__(self) -> None:
        self.streams: dict[str, Books] = {}
        self.conflicts: list[tuple[str, int]] = []
        self.records: list[tuple[str, int, Any, bool]] = []

    def book(self, topic: topics.UpBatch, payload: bytes) -> Ack:
        body = unpack(payload, topic.last - topic.first + 1)
        books = self.streams.setdefault(topic.stream, Books())
        books.known_last = max(books.known_last, topic.last)
        if body.prev is not None and body.prev_last is not None:
            before = self.streams.setdefault(body.prev, Books())
            before.known_last = max(before.known_last, body.prev_last)
        for seq, raw in enumerate(body.records, topic.first):
            digest = payload_hash(raw)
            if seq in books.have:
                if books.have[seq] != digest:
                    self.conflicts.append((topic.stream, seq))
                continue
            record = decode_record(raw)
            books.have[seq] = digest
            books.dropped = ranges.subtract(books.dropped, ((seq, seq),))
            self.records.append((topic.stream, seq, record, body.historical))
            if isinstance(record, Tombstone):
                other = self.streams.setdefault(record.stream, Books())
                other.dropped = ranges.union(other.dropped, ranges.subtract(ranges.normalise(record.ranges), ranges.of(other.have)))
        return Ack(stream=topic.stream, stored=[(topic.first, topic.last)])

    def has(self, stream: str, seq: int) -> bool:
        books = self.streams.get(stream)
        return books is not None and seq in books.have

    def accounts_for(self, stream: str, seq: int) -> bool:
        books = self.streams.get(stream)
        return books is not None and (seq in books.have or ranges.contains(books.dropped, seq))

    def missing(self) -> dict[str, Ranges]:
        return {name: books.missing() for name, books in self.streams.items() if books.missing()}

    def of(self, kind: type) -> list[Any]:
        return [record for _, _, record, _ in self.records if isinstance(record, kind)]


class Cloud:
    """Bridge, API and database in one, behind a real broker."""

    def __init__(self, port: int) -> None:
        self.ledger = Ledger()
        self.up = True
        self.publishes: list[tuple[topics.UpBatch, int]] = []
        self.presence: list[Presence] = []
        self.answers: list[tuple[int, Answer]] = []
        self._guard = threading.Lock()
        self._subscribed = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{BRIDGE}:test")
        self._client.username_pw_set(BRIDGE, BRIDGE_SECRET)
        self._client.reconnect_delay_set(0.1, 0.2)
        self._client.on_connect = lambda client, *_: client.subscribe(topics.UP_FILTER, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", port, 60)
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S), "the broker did not answer"

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        match topics.parse(message.topic):
            case topics.UpBatch() as topic:
                with self._guard:
                    self.publishes.append((topic, len(message.payload)))
                    if not self.up:
                        return
                    ack = self.ledger.book(topic, message.payload)
                self.say(topics.DownAck(topic.robot_id), encode(ack))
            case topics.UpPresence():
                self.presence.append(msgspec.json.decode(message.payload, type=Presence))
            case topics.UpAnswer(_, number):
                self.answers.append((number, msgspec.json.decode(message.payload, type=Answer)))

    def say(self, topic: topics.Topic, payload: bytes) -> None:
        self._client.publish(topics.build(topic), payload, 1)

    def ask(self, number: int, kind: str, payload: dict[str, Any], expires_at: datetime | None = None) -> None:
        outgoing = Outgoing(id=number, kind=kind, payload=payload, expires_at=expires_at or datetime(2100, 1, 1, tzinfo=UTC))
        self.say(topics.DownOutgoing(ROBOT), encode(outgoing))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Broker:
    """`croody-broker` as a process, with one robot and one bridge; it can be killed and started again on the same ports."""

    def __init__(self, folder: Path, port: int, engine: str = "amqtt", websocket_port: int | None = None) -> None:
        self.port, self._engine, self._websocket_port = port, engine, websocket_port
        accounts = {BRIDGE: mosquitto.hash_secret(BRIDGE_SECRET)} | {
            name: mosquitto.hash_secret(SECRET) for name in (ROBOT, "rover-bob", "rover-carlos")
        }
        (folder / "passwd").write_text("".join(f"{name}:{hashed}\n" for name, hashed in accounts.items()), encoding="utf-8")
        (folder / "acl").write_text(
            f"user {BRIDGE}\ntopic read {topics.UP_FILTER}\ntopic write {topics.ROOT}/+/down/#\n\n"
            f"pattern write {topics.ROOT}/%u/up/#\npattern read {topics.ROOT}/%u/down/#\n",
            encoding="utf-8",
        )
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        assert wait_until(self._answers), (self._folder / "broker.log").read_text(encoding="utf-8")

    def _command(self) -> list[str]:
        passwd, acl = str(self._folder / "passwd"), str(self._folder / "acl")
        if self._engine == "amqtt":
            program = str(Path(sys.executable).with_name("croody-broker"))
            more = [] if self._websocket_port is None else ["--websocket-bind", f"127.0.0.1:{self._websocket_port}"]
            return [program, "--bind", f"127.0.0.1:{self.port}", "--passwd", passwd, "--acl", acl, *more]
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") or pytest.skip(
            "no mosquitto here: apt-get install mosquitto"
        )
        account = f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\nallow_anonymous false\n"
        more = "" if self._websocket_port is None else f"listener {self._websocket_port} 127.0.0.1\nprotocol websockets\n"
        conf = self._folder / "mosquitto.conf"
        conf.write_text(f"{account}password_file {passwd}\nacl_file {acl}\nset_tcp_nodelay true\n{more}", encoding="utf-8")
        return [program, "-c", str(conf)]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            for port in filter(None, (self.port, self._websocket_port)):
                socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def address(self) -> BrokerAddress:
        return BrokerAddress("127.0.0.1", self.port)

    @property
    def websocket(self) -> BrokerAddress:
        assert self._websocket_port is not None
        return BrokerAddress("127.0.0.1", self._websocket_port, path="/mqtt")


def settings(folder: Path, *brokers: BrokerAddress, **more: Any) -> Settings:
    """Settings of Alice's robot, impatient enough for tests."""
    given = {
        "robot_id": ROBOT,
        "secret": SECRET,
        "edge_dir": folder,
        "brokers": brokers or (NOBODY,),
        "ack_timeout_s": 0.5,
        "keepalive_s": 4,
    }
    return Settings(**(given | more))
