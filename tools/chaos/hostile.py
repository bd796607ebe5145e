"""A robot that does its worst: with its own credential, as fast as the broker reads, one kind of attack after the other or all at once.

Argument, as JSON: `port`, `robot_id`, `secret`, `seconds`, `kinds` (names of `attacks.KINDS`). Prints how many messages and bytes of each
kind went out, and how often the broker closed the connection.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from tools.bench.work.wire import PUBACK, Wire, publish
from tools.chaos.attacks import KINDS, Said

#: Bodies of each kind that are made before the clock starts.
_MADE = 20
#: Said when the first bodies are made.
READY = "ready"
#: Publishes that are open, as an agent would have them, and many times as many.
_MOST_OPEN = 500


class Hostile:
    """One connection after the other."""

    def __init__(self, port: int, robot_id: str, secret: str, kinds: dict[str, Iterator[Said]]) -> None:
        self._port, self._robot_id, self._secret = port, robot_id, secret
        self._kinds = kinds
        self.sent: Counter[str] = Counter()
        self.size: Counter[str] = Counter()
        self.closed = 0
        self._open = 0
        self._mid = 0
        self._out = bytearray()
        self._wire: Wire | None = None

    def run(self, until: float) -> None:
        """Until the clock says so."""
        while time.monotonic() < until:
            try:
                self._connected()
                for name, said in self._kinds.items():
                    self._say(name, *next(said))
                    self._pump(until)
            except (OSError, StopIteration):
                self.closed += 1
                self._wire = None
                time.sleep(0.2)

    def _connected(self) -> None:
        if self._wire is None:
            self._wire = Wire(self._port, f"{self._robot_id}:hostile", self._robot_id, self._secret)
            self._wire.socket.settimeout(0.0)
            self._open, self._out = 0, bytearray()

    def _say(self, name: str, topic: str, body: bytes) -> None:
        self._mid = self._mid % 65_535 + 1
        self._out += publish(topic, body, self._mid)
        self._open += 1
        self.sent[name] += 1
        self.size[name] += len(body)

    def _pump(self, until: float) -> None:
        """Send, and read what came, until there is room for more."""
        assert self._wire is not None
        while True:
            with suppress(BlockingIOError):
                while self._out:
                    del self._out[: self._wire.socket.send(self._out)]
            with suppress(BlockingIOError):
                self._open -= sum(kind == PUBACK for kind, _ in self._wire.packets())
            if (self._open < _MOST_OPEN and len(self._out) < 1 << 18) or time.monotonic() > until:
                return
            time.sleep(0.002)


def _made(said: Iterator[Said]) -> Iterator[Said]:
    """Some are made beforehand, so that the attacker's own work slows nothing down; then they are made as they go."""
    return chain([next(said) for _ in range(_MADE)], said)


def main() -> None:
    """Attack."""
    wanted = json.loads(sys.argv[1])
    rng = random.Random(wanted.get("seed", 1))
    robot_id = wanted["robot_id"]
    kinds = {name: _made(KINDS[name](robot_id, rng)) for name in wanted["kinds"] or KINDS}
    hostile = Hostile(wanted["port"], robot_id, wanted["secret"], kinds)
    print(READY, flush=True)
    hostile.run(time.monotonic() + wanted["seconds"])
    print(json.dumps({"sent": hostile.sent, "bytes": hostile.size, "closed": hostile.closed}))


if __name__ == "__main__":
    main()
