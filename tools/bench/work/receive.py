"""Counts what a subscriber gets until its standard input closes and nothing has come for a second.

Argument: `port`, `user`, `secret` (empty: no credentials), `topic`.
"""

import json
import select
import sys
import time

from tools.bench.work.wire import PUBLISH, Wire, puback


def main() -> None:
    """Print `ready` when subscribed, at the end messages a second between the first and the last."""
    wanted = json.loads(sys.stdin.readline())
    wire = Wire(wanted["port"], wanted["user"], wanted["user"] if wanted["secret"] else "", wanted["secret"])
    wire.subscribe(wanted["topic"])
    print("ready", flush=True)
    count, first, last, told = 0, 0.0, time.perf_counter(), False
    while not told or time.perf_counter() - last < 1:
        readable, _, _ = select.select([wire.socket] if told else [wire.socket, sys.stdin], [], [], 0.2)
        told = told or sys.stdin in readable
        if wire.socket in readable:
            bodies = [body for kind, body in wire.packets() if kind == PUBLISH]
            wire.send(b"".join(map(puback, bodies)))
            last = time.perf_counter()
            first = first or last
            count += len(bodies)
    print(json.dumps({"rate": count / (last - first) if count > 1 else 0.0, "count": count}))


if __name__ == "__main__":
    main()
