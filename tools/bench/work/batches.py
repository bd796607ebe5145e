"""Publishes batches as our agents do and counts what comes back acknowledged: stored, end to end.

Timed, bodies are packed beforehand, so that it is not gzip that is measured: the times of a robot go on from batch to batch, and all robots
send the same. With `count` it loads so many records of each robot, each with its own values and times, and ends when all are acknowledged.

Argument: `port`, `accounts` ([user, secret] each), `robots`, `stream`, `batch` (records), `window` (unacknowledged batches a robot),
`spacing_s` between records, and `seconds` with `bodies` (how many batches are made; after the last the first comes again) and `oldest`
(unix seconds), or `count` with `first` (seq) and `limit_s`.
"""

import json
import select
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from croody_contract import ranges
from croody_contract.batch import Head, pack
from croody_contract.messages import Ack
from croody_contract.topics import ROOT, UpBatch, build
from tools.bench.readings import batch
from tools.bench.work.wire import PUBLISH, Wire, message, publish

_ACKS = f"{ROOT}/+/down/ack"


class Sender:
    """All robots over a few connections; the first one hears every acknowledgement."""

    def __init__(self, wanted: dict[str, Any], body: Callable[[str, int, int], bytes]) -> None:
        self._stream, self._batch, self._body = wanted["stream"], wanted["batch"], body
        self._wires = [Wire(wanted["port"], user, user, secret) for user, secret in wanted["accounts"]]
        self._wires[0].subscribe(_ACKS)
        first = wanted.get("first", 1)
        self.next = dict.fromkeys(wanted["robots"], first)
        self.last = first + wanted["count"] - 1 if "count" in wanted else 1 << 52
        self.stored = 0
        self._packets = 0

    def send(self, robot_id: str) -> None:
        """The robot's next batch, if it has one."""
        first = self.next[robot_id]
        last = min(first + self._batch - 1, self.last)
        if first > last:
            return
        self.next[robot_id] = last + 1
        self._packets += 1
        wire = self._wires[self._packets % len(self._wires)]
        wire.send(
            publish(build(UpBatch(robot_id, self._stream, first, last)), self._body(robot_id, first, last), self._packets % 65_000 + 1)
        )

    def listen(self, timeout_s: float) -> list[tuple[str, int]]:
        """Which robot's records were accounted for, and how many."""
        found = []
        readable, _, _ = select.select([wire.socket for wire in self._wires], [], [], timeout_s)
        for wire in self._wires:
            for kind, body in wire.packets() if wire.socket in readable else ():
                if kind == PUBLISH:
                    topic, payload = message(body)
                    ack = msgspec.json.decode(payload, type=Ack)
                    if ack.stream == self._stream:
                        found.append((topic.split("/")[2], ranges.count(tuple(ack.stored))))
        self.stored += sum(count for _, count in found)
        return found

    def close(self) -> None:
        """Leave in good order."""
        for wire in self._wires:
            wire.send(b"\xe0\x00")
            wire.socket.close()


def timed(wanted: dict[str, Any]) -> dict[str, float]:
    """As many as are acknowledged, for `seconds`: how many a second, the share of a processor that this took here, and how many in all."""
    count, spacing_s = wanted["batch"], wanted["spacing_s"]
    newest = [datetime.fromtimestamp(wanted["oldest"] + spacing_s * (count * (seed + 1) - 1), UTC) for seed in range(wanted["bodies"])]
    bodies = [pack(Head(), batch(count, seed, newest=at, spacing_s=spacing_s)) for seed, at in enumerate(newest)]
    sender = Sender(wanted, lambda robot_id, first, last: bodies[first // count % len(bodies)])
    done = dict.fromkeys(wanted["robots"], 0)
    started, began = time.perf_counter(), time.process_time()
    for _ in range(wanted["window"]):
        for robot_id in wanted["robots"]:
            sender.send(robot_id)
    while (took := time.perf_counter() - started) < wanted["seconds"]:
        for robot_id, count in sender.listen(0.1):
            done[robot_id] += count
            while done[robot_id] >= wanted["batch"]:
                done[robot_id] -= wanted["batch"]
                sender.send(robot_id)
    stored, used = sender.stored, time.process_time() - began
    # What is under way is still stored, and must not run into the next measurement.
    quiet_at = time.perf_counter()
    while time.perf_counter() - quiet_at < 1:
        if sender.listen(0.2):
            quiet_at = time.perf_counter()
    sender.close()
    return {
        "rate": stored / took,
        "busy": used / took,
        "stored": sender.stored,
        "bytes_a_record": sum(map(len, bodies)) / len(bodies) / count,
    }


def load(wanted: dict[str, Any]) -> dict[str, float]:
    """`count` records of each robot."""
    now = datetime.now(UTC)
    seeds = {robot_id: seed for seed, robot_id in enumerate(wanted["robots"])}
    end = wanted["first"] + wanted["count"] - 1

    def body(robot_id: str, first: int, last: int) -> bytes:
        newest = datetime.fromtimestamp(now.timestamp() - wanted["spacing_s"] * (end - last), UTC)
        return pack(Head(), batch(last - first + 1, seeds[robot_id] * 1000 + first, newest=newest, spacing_s=wanted["spacing_s"]))

    sender = Sender(wanted, body)
    waiting = list(wanted["robots"])[::-1]
    total = len(waiting) * wanted["count"]
    for robot_id in [waiting.pop() for _ in range(min(wanted["window"], len(waiting)))]:
        sender.send(robot_id)
    until = time.monotonic() + wanted["limit_s"]
    while sender.stored < total:
        if time.monotonic() > until:
            sys.exit(f"of {total} records {sender.stored} were acknowledged within {wanted['limit_s']:.0f} s")
        for robot_id, _ in sender.listen(0.5):
            if sender.next[robot_id] <= sender.last:
                sender.send(robot_id)
            elif waiting:
                sender.send(waiting.pop())
    sender.close()
    return {"stored": sender.stored}


def main() -> None:
    """Run; print what was measured, or how many were loaded."""
    wanted = json.loads(sys.stdin.readline())
    print(json.dumps(load(wanted) if "count" in wanted else timed(wanted)))


if __name__ == "__main__":
    main()
