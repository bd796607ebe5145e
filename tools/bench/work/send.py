"""Publishes plain readings at QoS 1 at the moments that a schedule names, whatever the broker does (open loop).

A connection that the broker does not read waits, and what is due meanwhile is sent later: its latency counts from when it was due.
What was not even written when the time is over was never sent, as with any client that holds its own queue.

Argument: `port`, `accounts` ([user, secret] each; an empty secret: no credentials), `robots`, `first`, `last`, `seconds` (the schedule),
`closed` (as fast as `window` allows instead), `window` (unconfirmed at a time and connection), `drain_s`, `number` (of the first
reading), `confirmed` (the file for the numbers that were confirmed).
"""

import json
import selectors
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

from croody_contract.topics import UpTelemetry, build
from tools.bench.readings import Stamp
from tools.bench.schedule import Schedule
from tools.bench.stats import percentile
from tools.bench.work.wire import PUBACK, Wire, publish

_IDS = 65_000
_AT_ONCE = 200


class Sender:
    """One connection: every `of`-th message of the load, from `place` on."""

    def __init__(self, wire: Wire, place: int, of: int, window: int) -> None:
        self.wire, self.place, self.of, self.window = wire, place, of, window
        self.turn = self.unconfirmed = 0
        self.confirmed: array[int] = array("Q")
        self.rest = b""
        self._index_of = [0] * (_IDS + 1)
        wire.socket.setblocking(False)

    def index(self) -> int:
        """Which message of the load comes next."""
        return self.place + self.turn * self.of

    def packet(self, topic: str, body: bytes) -> bytes:
        """The next PUBLISH; it counts as sent."""
        packet_id = self.turn % _IDS + 1
        self._index_of[packet_id] = self.index()
        self.turn += 1
        self.unconfirmed += 1
        return publish(topic, body, packet_id)

    def flush(self) -> bool:
        """Write what waits; False when the broker does not take it all now."""
        while self.rest:
            try:
                self.rest = self.rest[self.wire.socket.send(self.rest) :]
            except BlockingIOError:
                return False
        return True

    def read(self) -> None:
        """Take confirmations."""
        try:
            for kind, body in self.wire.packets():
                if kind == PUBACK:
                    self.confirmed.append(self._index_of[int.from_bytes(body[:2], "big")])
                    self.unconfirmed -= 1
        except BlockingIOError:
            return  # half of a packet; the rest is on its way


class Load:
    """The whole load over all connections."""

    def __init__(self, senders: Sequence[Sender], robots: Sequence[str], schedule: Schedule, number: int, *, closed: bool) -> None:
        self._senders, self._schedule, self._closed = senders, schedule, closed
        self._topics = [build(UpTelemetry(robot_id)) for robot_id in robots]
        self._stamp, self._number = Stamp(), number
        self._selector = selectors.DefaultSelector()
        for one in senders:
            self._selector.register(one.wire.socket, selectors.EVENT_READ, one)
        self.late: array[float] = array("d")
        self.busy = 0.0
        self.began = time.time()

    def run(self, drain_s: float) -> None:
        """Send, then wait for confirmations, until none has come for `drain_s`."""
        began, self.began, used = time.perf_counter(), time.time(), time.process_time()
        while (elapsed := time.perf_counter() - began) < self._schedule.seconds:
            due = 1 << 62 if self._closed else self._schedule.due(elapsed)
            busy = [self._give(one, due, elapsed) for one in self._senders]
            self._listen(0.0 if any(busy) else 0.001)
        self.busy = (time.process_time() - used) / elapsed
        heard, waited = self._heard(), time.perf_counter()
        while any(one.unconfirmed for one in self._senders) and time.perf_counter() - waited < drain_s:
            for one in self._senders:
                one.flush()
            self._listen(0.05)
            if self._heard() > heard:
                heard, waited = self._heard(), time.perf_counter()

    def _give(self, one: Sender, due: int, elapsed: float) -> bool:
        """Write what is due on one connection; True when more could be written at once."""
        if not one.flush():
            return False
        packets: list[bytes] = []
        while one.index() < due and one.unconfirmed < one.window and len(packets) < _AT_ONCE:
            index = one.index()
            at = elapsed if self._closed else self._schedule.at(index)
            self.late.append(elapsed - at)
            body = self._stamp.body(self._number + index, self.began + at)
            packets.append(one.packet(self._topics[index % len(self._topics)], body))
        one.rest = b"".join(packets)
        return one.flush() and len(packets) == _AT_ONCE

    def _listen(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            key.data.read()

    def _heard(self) -> int:
        return sum(len(one.confirmed) for one in self._senders)


def main() -> None:
    """Send; print what was offered, sent and confirmed, how late the generator itself was, and its share of a processor."""
    wanted = json.loads(sys.stdin.readline())
    accounts = wanted["accounts"]
    window = min(wanted["window"] or _IDS, _IDS)
    senders = []
    for place, (user, secret) in enumerate(accounts):
        senders.append(Sender(Wire(wanted["port"], user, user if secret else "", secret), place, len(accounts), window))
    schedule = Schedule(wanted["first"], wanted["last"], wanted["seconds"])
    load = Load(senders, wanted["robots"], schedule, wanted["number"], closed=wanted["closed"])
    load.run(wanted["drain_s"])
    confirmed = array("Q")
    for one in senders:
        confirmed.extend(one.confirmed)
    Path(wanted["confirmed"]).write_bytes(confirmed.tobytes())
    sent = sum(one.turn for one in senders)
    print(
        json.dumps(
            {
                "offered": sent if wanted["closed"] else schedule.count,
                "sent": sent,
                "confirmed": len(confirmed),
                "began": load.began,
                "busy": load.busy,
                "late_p99_ms": 1000 * percentile(load.late, 0.99) if load.late else 0.0,
            }
        )
    )
    for one in senders:
        one.wire.socket.setblocking(True)
        one.wire.send(b"\xe0\x00")
        one.wire.socket.close()


if __name__ == "__main__":
    main()
