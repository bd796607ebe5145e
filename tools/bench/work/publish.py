"""Publishes plain readings at QoS 1 as fast as the broker confirms them.

Argument: `port`, `seconds`, `clients` ([robot_id, secret] each; an empty secret: no credentials), `window` (unconfirmed at a time).
"""

import json
import selectors
import sys
import time

from croody_contract.topics import UpTelemetry, build
from tools.bench.readings import encoded
from tools.bench.work.wire import PUBACK, Wire, publish


class Publisher:
    """One robot, with `window` messages on their way."""

    def __init__(self, port: int, robot_id: str, secret: str, window: int) -> None:
        self.wire = Wire(port, robot_id, robot_id if secret else "", secret)
        topic = build(UpTelemetry(robot_id))
        self._packets = [publish(topic, body, number) for number, body in enumerate(encoded(1000, 1), start=1)]
        self._turn, self.confirmed = 0, 0
        self.send(window)

    def send(self, count: int) -> None:
        """So many more."""
        packets = [self._packets[(self._turn + index) % len(self._packets)] for index in range(count)]
        self._turn += count
        self.wire.send(b"".join(packets))

    def read(self) -> int:
        """Count what came; how many may be sent in their place."""
        count = sum(kind == PUBACK for kind, _ in self.wire.packets())
        self.confirmed += count
        return count


def main() -> None:
    """Publish for `seconds`; print confirmed messages a second."""
    wanted = json.loads(sys.argv[1])
    publishers = [Publisher(wanted["port"], robot_id, secret, wanted["window"]) for robot_id, secret in wanted["clients"]]
    started = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for one in publishers:
            selector.register(one.wire.socket, selectors.EVENT_READ, one)
        while time.perf_counter() - started < wanted["seconds"]:
            for key, _ in selector.select(1):
                key.data.send(key.data.read())
    confirmed = sum(one.confirmed for one in publishers)
    took = time.perf_counter() - started
    # What is still unconfirmed is confirmed before the connections close: nothing is thrown away half-way.
    time.sleep(0.5)
    for one in publishers:
        one.wire.send(b"\xe0\x00")
        one.wire.socket.close()
    print(json.dumps({"rate": confirmed / took, "count": confirmed}))


if __name__ == "__main__":
    main()
