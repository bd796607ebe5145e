"""Publishes plain readings open loop: at a rate of its own, whatever is acknowledged, as far as TCP and MQTT's packet ids let it.

Argument, as JSON: `port`, `clients` ([robot_id, secret] each), `rate` (of all together, a second), `seconds`, `tag`, `witness`. The witness
is as in `client`. Prints what was offered, sent and acknowledged. Ends with 0 once everything that was sent is acknowledged.
"""

import json
import selectors
import sys
import time
from collections.abc import Iterator
from itertools import count

from croody_contract.topics import UpTelemetry, build
from tools.bench.work.wire import PUBACK, Wire, publish

#: Packet ids that one client may have open.
_MOST_OPEN = 60_000
#: What is handed to the kernel at once, in bytes.
_PIECE = 1 << 16


class Flooder:
    """One client."""

    def __init__(self, port: int, robot_id: str, secret: str, tag: str, numbers: Iterator[int]) -> None:
        self.wire = Wire(port, robot_id, robot_id, secret)
        self.wire.socket.setblocking(False)
        self._topic, self._tag, self._numbers = build(UpTelemetry(robot_id)), tag, numbers
        self._out = bytearray()
        self._mid = 0
        self.open: dict[int, int] = {}
        self.sent: list[int] = []
        self.acknowledged: list[int] = []

    def offer(self, most: int) -> int:
        """Put up to `most` readings into what is to be sent; how many it took."""
        taken = 0
        while taken < most and len(self._out) < _PIECE and len(self.open) < _MOST_OPEN:
            number, self._mid = next(self._numbers), self._mid % 65_535 + 1
            if self._mid in self.open:
                break
            body = json.dumps({"data": {"n": number, "tag": self._tag}}).encode()
            self._out += publish(self._topic, body, self._mid)
            self.open[self._mid] = number
            self.sent.append(number)
            taken += 1
        return taken

    def pump(self) -> None:
        """Send and read what goes without waiting."""
        try:
            while self._out:
                del self._out[: self.wire.socket.send(self._out)]
        except BlockingIOError:
            pass
        try:
            for kind, body in self.wire.packets():
                if kind == PUBACK:
                    self.acknowledged.append(self.open.pop(int.from_bytes(body[:2], "big")))
        except BlockingIOError:
            pass


def main() -> None:
    """Flood, then wait."""
    wanted = json.loads(sys.argv[1])
    numbers = count()
    clients = [Flooder(wanted["port"], robot_id, secret, wanted["tag"], numbers) for robot_id, secret in wanted["clients"]]
    began, offered = time.monotonic(), 0.0
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.wire.socket, selectors.EVENT_READ)
        while (passed := time.monotonic() - began) < wanted["seconds"]:
            due = int(wanted["rate"] * passed - offered)
            for client in clients:
                offered += client.offer(due // len(clients) + 1)
                client.pump()
            selector.select(0.002)
        flooded = sum(len(client.acknowledged) for client in clients)
        while any(client.open for client in clients):
            for client in clients:
                client.pump()
            selector.select(0.01)
    with open(wanted["witness"], "w", encoding="utf-8") as witness:
        for client in clients:
            witness.writelines(f"S {number}\n" for number in client.sent)
            witness.writelines(f"A {number}\n" for number in client.acknowledged)
    sent = sum(len(client.sent) for client in clients)
    print(json.dumps({"offered": round(wanted["rate"] * wanted["seconds"]), "sent": sent, "acknowledged_meanwhile": flooded}))


if __name__ == "__main__":
    main()
