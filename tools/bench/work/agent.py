"""Durable publishes a second and memory of an agent without a broker, or of a bare SQLite queue, as a peer.

Argument: `how` (`croody` or `bare`), `seconds`, `folder`.
"""

import json
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tools.bench.readings import reading


def main() -> None:
    """Measure for `seconds`; print publishes a second, one by one, each durable when it returns, and RSS in MB."""
    wanted = json.loads(sys.argv[1])
    folder = Path(wanted["folder"]) / secrets.token_hex(4)
    folder.mkdir(parents=True)
    publish, close = (_croody if wanted["how"] == "croody" else _bare)(folder)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < wanted["seconds"]:
        publish()
        count += 1
    rate = count / (time.perf_counter() - started)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    close()
    print(json.dumps({"rate": rate, "rss_mb": int(status.split("VmRSS:")[1].split()[0]) / 1024}))


def _croody(folder: Path) -> tuple[Callable[[], object], Callable[[], None]]:
    from croody_contract.messages import Reading
    from croody_edge.agent import Agent
    from croody_edge.link.address import BrokerAddress
    from croody_edge.settings import Settings

    class Nothing:
        interval_s = 3600.0

        def read(self, now: float) -> Reading | None:
            return None

        def close(self) -> None:
            return None

    # Nobody listens on port 9: the agent keeps trying, as it would in the field.
    settings = Settings("bench-robot", folder, secret="x" * 32, brokers=(BrokerAddress("127.0.0.1", 9),))
    agent = Agent(settings, Nothing(), None)
    agent.start()
    random = Random(1)
    return lambda: agent.publish(reading(random)), lambda: agent.stop(0)


def _bare(folder: Path) -> tuple[Callable[[], object], Callable[[], None]]:
    """An insert a reading, synchronous=FULL, nothing else: no checks, no checksums, no stream."""
    from croody_contract.messages import encode

    queue = sqlite3.connect(folder / "queue.db", isolation_level=None)
    queue.execute("PRAGMA journal_mode=WAL")
    queue.execute("PRAGMA synchronous=FULL")
    queue.execute("CREATE TABLE queue (seq INTEGER PRIMARY KEY, body BLOB)")
    random = Random(1)
    return lambda: queue.execute("INSERT INTO queue (body) VALUES (?)", (encode(reading(random)),)), queue.close


if __name__ == "__main__":
    main()
