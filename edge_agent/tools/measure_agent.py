"""Measure the agent on this machine: durable publishes a second, memory with the screening model, CPU at one reading a second.

    python edge_agent/tools/measure_agent.py [DIR]

DIR is where the outboxes lie (the disk is what is measured). No broker is needed: everything waits in the outbox.
"""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from croody_contract.messages import Reading
from croody_edge.agent import Agent
from croody_edge.link.address import BrokerAddress
from croody_edge.settings import Settings
from croody_edge.sources.host import HostSource

WATCHED_S = 20.0
ROUNDS = 60


def reading(number: int) -> Reading:
    """Six metrics, about 240 bytes."""
    data: dict[str, bool | int | float | str] = {"TEMP": 23.5, "HUM": 60.2, "PRES": 1013.25, "WIND": 1.4, "speed_mps": 0.83, "n": number}
    return Reading(data=data, ts=datetime.now(UTC), environment="bodega-central", status="moving")


class Fast:
    """Readings as fast as the agent asks for them."""

    interval_s = 1e-6

    def __init__(self) -> None:
        self.count = 0

    def read(self, now: float) -> Reading:
        """The next one."""
        self.count += 1
        return reading(self.count)

    def close(self) -> None:
        """Nothing to give back."""


def agents(folder: Path, count: int, *, screened: bool) -> list[Agent]:
    """Agents on this machine's own values, without a broker."""
    from croody_edge.screen.sensors import SensorScreen

    made = []
    for number in range(count):
        robot = Settings(f"robot-{number:03}", folder / str(number), secret="x", brokers=(BrokerAddress("127.0.0.1", 9),))
        made.append(Agent(robot, HostSource(), SensorScreen() if screened else None))
    return made


def publishes(folder: Path) -> dict[str, float]:
    """Durable publishes a second: one by one, beside a bare SQLite insert as the floor, and in the groups that a fast source makes.

    Medians of short interleaved rounds, because what else uses the disk comes and goes.
    """
    (agent,) = agents(folder / "single", 1, screened=False)
    agent.start()
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE r(body BLOB)"):
        bare.execute(statement)
    body = bytes(240)
    source = Fast()
    fast = Agent(Settings("robot-1", folder / "group", secret="x", brokers=(BrokerAddress("127.0.0.1", 9),)), source, None)
    fast.start()
    rates: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, count, step in (
            ("one by one, publishes/s", 40, lambda: agent.publish(reading(1))),
            ("bare SQLite, inserts/s", 40, lambda: bare.execute("INSERT INTO r VALUES(?)", (body,))),
            ("groups of 100, readings/s", 10, lambda: fast.tick(time.time())),
        ):
            began, read = time.perf_counter(), source.count
            for _ in range(count):
                step()
            rates.setdefault(name, []).append((source.count - read or count) / (time.perf_counter() - began))
    agent.stop(0)
    fast.stop(0)
    bare.close()
    return {name: round(median(found)) for name, found in rates.items()}


def idle(folder: Path, count: int) -> dict[str, float]:
    """Memory and CPU of `count` agents, each with its model, at one reading a second."""
    made = agents(folder, count, screened=True)
    for agent in made:
        agent.start()
    until = time.monotonic() + 2
    turn(made, until)
    used, began = cpu_s(), time.monotonic()
    turn(made, began + WATCHED_S)
    share = 100 * (cpu_s() - used) / (time.monotonic() - began)
    # Not getrusage: that remembers the memory of whoever started this process.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) / 1024
    for agent in made:
        agent.stop(0)
    return {"RSS, MB (peak)": round(peak, 1), "CPU, % of one core": round(share, 2)}


def turn(made: list[Agent], until: float) -> None:
    """Give every agent its ticks until then."""
    due = [0.0] * len(made)
    while (now := time.monotonic()) < until:
        for index, agent in enumerate(made):
            if due[index] <= now:
                due[index] = now + agent.tick(time.time())
        time.sleep(max(0.0, min(min(due) - time.monotonic(), 1.0)))


def cpu_s() -> float:
    """Seconds of processor time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure each thing in a process of its own."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="croody-measure-"))
    if len(sys.argv) > 2:
        what = sys.argv[2]
        print(json.dumps(publishes(place) if what == "publishes" else idle(place, int(what))))
        return
    for name, what in (("durable publishes", "publishes"), ("1 agent", "1"), ("50 agents in one process", "50")):
        done = subprocess.run([sys.executable, __file__, str(place / what), what], capture_output=True, text=True, check=True)
        print(f"{name}: {done.stdout.strip()}")


if __name__ == "__main__":
    main()
