"""The ceiling: a hand-written bridge into a table, without anything that Croody adds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from croody_contract.topics import UP_FILTER
from tools.bench.offer import Target
from tools.bench.peers import mosquitto, table
from tools.bench.peers.program import running
from tools.bench.plan import Plan
from tools.bench.system import System, scratch
from tools.stack import script

NAME = "hand-written bridge"


@contextmanager
def hand_bridge(plan: Plan, own: System) -> Iterator[Target]:
    """A Mosquitto and a table of its own, on our PostgreSQL server.

    Raises:
        Absent: Mosquitto is not here.
    """
    folder = scratch(plan, "hand-bridge")
    rows = table.make(own, "bench_hand_bridge")
    with mosquitto.bare(plan) as broker:
        wanted = {"port": broker.port, "topic": UP_FILTER, "postgres": rows.postgres, "table": rows.table}
        command = [script("python"), "-u", "-m", "tools.bench.work.hand_bridge", json.dumps(wanted)]
        log = folder / "hand-bridge.log"
        with running(folder, "hand-bridge", command, lambda: log.exists() and "listening" in log.read_text(encoding="utf-8")) as process:
            yield Target.peer(own, broker.port, rows, broker=broker.pid, bridge=process.pid or 0)
