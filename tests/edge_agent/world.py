"""One robot's real outbox and uplink, a network that loses, repeats and reorders, and a cloud with a ledger: a model to break things in.

Everything of the robot's is the real code on a real file; only the link (a list) and the cloud (the ledger of `doubles`) are
stand-ins, so that every step is one call and time is a number.
"""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path
from random import Random
from typing import Any, cast

from croody_contract import ranges, topics
from croody_contract.batch import payload_hash
from croody_contract.messages import Ack, Answer, Outgoing, Tombstone, encode
from croody_contract.ranges import Ranges
from croody_edge.keyring import Keyring
from croody_edge.link.client import Link
from croody_edge.link.connection import Confirmed, Down, Happening, Message, Up
from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import place_of
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from croody_edge.sync.mqtt import MqttTransport
from tests.edge_agent.doubles import ROBOT, Ledger, reading, settings

NOW = 1_790_000_000.0
#: (ledger, topic, payload, whether the commit works) -> the acknowledgement that is sent, None when there is none.
Rule = Callable[[Ledger, topics.UpBatch, bytes, bool], Ack | None]


def exact(ledger: Ledger, topic: topics.UpBatch, payload: bytes, commits: bool) -> Ack | None:
    """Ours: from the commit alone, and of exactly what it holds."""
    return ledger.book(topic, payload) if commits else None


def before_commit(ledger: Ledger, topic: topics.UpBatch, payload: bytes, commits: bool) -> Ack | None:
    """Wrong: acknowledges what may still fail."""
    if commits:
        ledger.book(topic, payload)
    return Ack(stream=topic.stream, stored=[(topic.first, topic.last)])


def up_to_last(ledger: Ledger, topic: topics.UpBatch, payload: bytes, commits: bool) -> Ack | None:
    """Wrong: takes the end of a batch for the end of all before it."""
    if not commits:
        return None
    ledger.book(topic, payload)
    return Ack(stream=topic.stream, stored=[(1, topic.last)])


class Wire:
    """Stands where the link stands: what was published, and what is to be taken."""

    def __init__(self) -> None:
        self.up = False
        self.sent: list[tuple[str, bytes]] = []
        self.box: list[Happening] = []
        self._token = 0

    def start(self) -> None:
        pass

    def publish(self, topic: str, payload: bytes) -> int | None:
        if not self.up:
            return None
        self._token += 1
        self.sent.append((topic, payload))
        self.box.append(Confirmed(self._token))
        return self._token

    def take(self) -> list[Happening]:
        taken, self.box = self.box, []
        return taken


class World:
    """Steps that a test may take in any order, and the promise at the end."""

    def __init__(self, folder: Path, rule: Rule = exact, *, limit_bytes: int = 1 << 30) -> None:
        self.folder, self.rule, self.limit_bytes = folder, rule, limit_bytes
        self.ledger = Ledger()
        self.witness: dict[tuple[str, int], str] = {}
        self.mono_s = 1000.0
        self.network: list[tuple[topics.UpBatch, bytes]] = []
        self.acks: list[Ack] = []
        self.answers: list[Answer] = []
        self.asked = 0
        self._number = 0
        self._snapshot: tuple[Path, set[tuple[str, int]]] | None = None
        self._copies = 0
        self._open()

    def _open(self) -> None:
        self.outbox = Outbox(self.folder, ROBOT, program=Program("test"), limit_bytes=self.limit_bytes)
        self.outbox.open(NOW)
        self.wire = Wire()
        given = settings(self.folder, batch_records=7, in_flight=3, ack_timeout_s=2.0, drain_rate=1000)
        self.uplink = MqttTransport(given, self.outbox, cast(Link, self.wire), Keyring(given.secret), random=Random(1))
        self.uplink.grew()

    # steps

    def publish(self, count: int, padding: int = 0) -> None:
        for _ in range(count):
            self._number += 1
            body = encode(reading(self._number, **({"t": "x" * padding} if padding else {})))
            try:
                (key,) = self.outbox.append([Encoded(body, True)], NOW, self.uplink.protected)
            except OSError as error:
                if error.errno != ENOSPC:
                    raise
                return  # It is full of what may not go, and says so: nothing was promised.
            self.uplink.grew()
            assert self.outbox.current is not None
            self.witness[self.outbox.current.id, place_of(key)[1]] = payload_hash(body)

    def connect(self, up: bool) -> None:
        if up != self.wire.up:
            self.wire.up = up
            self.wire.box.append(Up() if up else Down())

    def turn(self, seconds: float) -> None:
        self.mono_s += seconds
        self.uplink.turn(NOW, self.mono_s)
        for topic, payload in self.wire.sent:
            match topics.parse(topic):
                case topics.UpBatch() as batch:
                    self.network.append((batch, payload))
                case topics.UpAnswer():
                    self.answers.append(Answer(**json.loads(payload)))
        self.wire.sent.clear()

    def deliver(self, index: int, *, commits: bool = True, keeps: bool = False) -> None:
        """A batch reaches the cloud. `keeps`: the network delivers it once more some day."""
        if self.network:
            index %= len(self.network)
            topic, payload = self.network[index] if keeps else self.network.pop(index)
            ack = self.rule(self.ledger, topic, payload, commits)
            if ack is not None:
                self.acks.append(ack)

    def lose(self, index: int) -> None:
        if self.network:
            self.network.pop(index % len(self.network))

    def acknowledge(self, index: int, *, keeps: bool = False) -> None:
        if self.acks and self.wire.up:
            index %= len(self.acks)
            ack = self.acks[index] if keeps else self.acks.pop(index)
            self._say(topics.DownAck(ROBOT), encode(ack))

    def lose_ack(self, index: int) -> None:
        if self.acks:
            self.acks.pop(index % len(self.acks))

    def crash(self) -> None:
        """The process ends; another begins on the same file."""
        self.outbox.close()
        self._open()

    def ask_for_missing(self) -> None:
        for stream, missing in self.ledger.missing().items():
            self.ask(stream, missing[:1000])

    def ask(self, stream: str, spans: Ranges) -> None:
        """A `resend` that reaches the robot at its next turn."""
        self.asked += 1
        payload: dict[str, Any] = {"stream": stream, "ranges": [list(span) for span in spans]}
        outgoing = Outgoing(id=self.asked, kind="resend", payload=payload, expires_at=datetime(2100, 1, 1, tzinfo=UTC))
        self._say(topics.DownOutgoing(ROBOT), encode(outgoing))

    def take_snapshot(self) -> None:
        self._copies += 1
        place = self.folder.with_name(f"snapshot-{self._copies}")
        shutil.copytree(self.folder, place, ignore=shutil.ignore_patterns("*.lock", "*-shm"))
        self._snapshot = (place, set(self.witness))

    def restore_snapshot(self) -> None:
        """The disk is as it was. What was published since and has not reached the cloud is gone, by no fault of the outbox."""
        if self._snapshot is None:
            return
        place, then = self._snapshot
        self.outbox.close()
        shutil.rmtree(self.folder)
        shutil.copytree(place, self.folder)
        self.witness = {key: digest for key, digest in self.witness.items() if key in then or self.ledger.accounts_for(*key)}
        self._open()

    def _say(self, topic: topics.Topic, payload: bytes) -> None:
        if self.wire.up:
            self.wire.box.append(Message(topics.build(topic), payload))

    # what has to hold

    def check(self) -> None:
        """At any moment: what the outbox says of itself is true, and no key was ever used twice."""
        queue = self.outbox._queue
        assert queue is not None
        assert self.outbox.pending() == queue.store._number("SELECT count(*) FROM record")
        assert self.ledger.conflicts == []

    def settle(self) -> None:
        """Nothing breaks any more; everything in flight arrives."""
        self.connect(True)
        for round_ in range(400):
            self.turn(1.0)
            while self.network:
                self.deliver(0)
            while self.acks:
                self.acknowledge(0)
            if self.outbox.pending() == 0 and not self.network and round_ % 3 == 2:
                if not self.ledger.missing():
                    return
                self.ask_for_missing()

    def lost(self) -> list[tuple[str, int]]:
        """Published, and neither stored nor declared with a reason of the outbox's own.

        `unknown` is no such reason: a robot says it when the cloud asks for what an earlier acknowledgement made it delete.
        """
        declared: dict[str, Ranges] = {}
        for stone in self.ledger.of(Tombstone):
            if stone.reason != "unknown":
                declared[stone.stream] = ranges.union(declared.get(stone.stream, ranges.EMPTY), ranges.normalise(stone.ranges))
        return [
            (stream, seq)
            for stream, seq in self.witness
            if not self.ledger.has(stream, seq) and not ranges.contains(declared.get(stream, ranges.EMPTY), seq)
        ]

    def doubled_or_changed(self) -> list[tuple[str, int]]:
        """Stored under its key with other bytes."""
        return [key for key, digest in self.witness.items() if self.ledger.has(*key) and self.ledger.streams[key[0]].have[key[1]] != digest]

    def close(self) -> None:
        self.outbox.close()
