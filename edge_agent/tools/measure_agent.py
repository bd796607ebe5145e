"""Measure the agent on this machine: durable publishes a second; memory and CPU at one and ten readings a second, with and without the
model, and with all that it can do on its board: 16 rules, its status page with a visitor, Home Assistant at a Mosquitto.

    python edge_agent/tools/measure_agent.py [DIR]

DIR is where the outboxes lie (the disk is what is measured). No broker is needed: everything waits in the outbox. Screening is measured on
the recording of a virtual robot, played by the source `replay`, so that the simulator's own work is not counted. `scored` says how many
readings the model looked at: all of them on a quiet machine; none ends the measurement.
"""

import atexit
import csv
import json
import logging
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from croody_contract.messages import Reading
from croody_contract.windows import WINDOW_ROWS
from croody_edge.agent import Agent
from croody_edge.cli import load_screen
from croody_edge.link.address import BrokerAddress
from croody_edge.local.home_assistant.station import HomeAssistant
from croody_edge.local.life import Life, life_of
from croody_edge.screen.on_demand import ScreenOnDemand
from croody_edge.settings import Home, Settings
from croody_edge.sources.config import choose
from croody_edge.sources.sim import SimSource, Site

WATCHED_S = 30.0
RECORDED_S = 3600
ROUNDS = 60
PAGE_PORT = 0
BESIDE: list[HomeAssistant] = []
RULES = "".join(f'[rule.rule_{n}]\nmetric = "TEMP"\nabove = {10 + n}\nuntil = {9 + n}\n' for n in range(15)) + (
    '[rule.away]\nmetric = "oil_temp_c"\nabsent_s = 20\n'
)


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


def record(path: Path, number: int) -> None:
    """Write what a virtual robot reads in an hour, as `replay` takes it."""
    site = Site(seed=number)
    source = SimSource(site.robot(f"robot-{number:03}", number), site)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        for second in range(RECORDED_S):
            found = source.read(float(second))
            assert found is not None
            if not second:
                rows.writerow(["t_s", *found.data, "environment", "status"])
            rows.writerow([second, *found.data.values(), found.environment, found.status])


def agents(folder: Path, count: int, source: str, seen: list[bytes], per_s: int = 1, beside: bool = False) -> list[Agent]:
    """Agents without a broker, each with what `croody-edge run` would give it; what they publish is put into `seen`."""
    made = []
    for number in range(count):
        robot = Settings(f"robot-{number:03}", folder / str(number), secret="x", brokers=(BrokerAddress("127.0.0.1", 9),), source=source)
        robot.edge_dir.mkdir(parents=True)
        recording = robot.edge_dir / "recording.csv"
        if source == "replay":
            subprocess.run([sys.executable, __file__, str(recording), "record", str(number)], check=True)
        (robot.edge_dir / "rules.toml").write_text(RULES if beside else "")
        opened = choose(robot, {"CROODY_REPLAY_FILE": str(recording), "CROODY_REPLAY_SPEED": str(per_s)}).sources
        life = life_of(robot, time.monotonic)
        agent = Agent(robot, opened, ScreenOnDemand(load_screen), life=life, on_published=lambda _stream, _seq, body: seen.append(body))
        made.append(agent)
        if beside:
            start_beside(agent, life)
    return made


def start_beside(agent: Agent, life: Life) -> None:
    """All that runs on a board beside an agent, and somebody who looks at it as often as the page renews itself."""
    from croody_edge.local.home_assistant.of_agent import at_home
    from croody_edge.local.page.checkup import Checkup
    from croody_edge.local.page.of_agent import StatusPage

    class NoDoctor(Checkup):
        def findings(self, language: str) -> None:  # type: ignore[override]
            """A process of its own: not the agent's."""

    page = StatusPage(("127.0.0.1", PAGE_PORT), "", agent.state, life, agent.infos, NoDoctor({}), 1000.0)
    page.start()
    broker = BrokerAddress("127.0.0.1", int(os.environ["MEASURE_MQTT_PORT"]))
    station = at_home(Home(broker), agent, life, "en")
    station.start()
    BESIDE.append(station)
    visitor = f"import time,urllib.request\nwhile 1: time.sleep(15); urllib.request.urlopen('http://127.0.0.1:{page.server.port}/').read()"
    atexit.register(subprocess.Popen([sys.executable, "-c", visitor], stderr=subprocess.DEVNULL).kill)


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A broker for Home Assistant's side; its port."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("no mosquitto here: apt-get install mosquitto")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        broker.terminate()
        broker.wait()


def publishes(folder: Path) -> dict[str, float]:
    """Durable publishes a second: one by one, beside a bare SQLite insert as the floor, and in the groups that a fast source makes.

    Medians of short interleaved rounds, because what else uses the disk comes and goes.
    """
    (agent,) = agents(folder / "single", 1, "host", [])
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


def idle(folder: Path, count: int, source: str, per_s: int = 1, *, beside: bool = False) -> dict[str, float]:
    """Memory and CPU of `count` agents at so many readings a second, and the share of readings that the model scored."""
    seen: list[bytes] = []
    made = agents(folder, count, source, seen, per_s, beside)
    for agent in made:
        agent.start()
    turn(made, time.monotonic() + 2)
    for _ in range(3 * WINDOW_ROWS if source == "replay" else 0):
        if share_scored(seen[-count:]) == 1:
            break
        turn(made, time.monotonic() + 1)
    seen.clear()
    used, began = cpu_s(), time.monotonic()
    turn(made, began + WATCHED_S)
    share = 100 * (cpu_s() - used) / (time.monotonic() - began)
    scored = share_scored(seen)
    if any(station.trouble or not station.connected for station in BESIDE):
        sys.exit("the robot is not in Home Assistant's broker: this is not the measurement that it should be")
    if (scored > 0) != (source == "replay"):
        sys.exit(f"{scored:.0%} of {len(seen)} records were scored: this is not the measurement that it should be")
    # Not getrusage: that remembers the memory of whoever started this process.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak, rss = (int(next(line.split()[1] for line in status.splitlines() if line.startswith(name))) / 1024 for name in ("VmHWM", "VmRSS"))
    for agent in made:
        agent.stop(0)
    return {"RSS, MB": round(rss, 1), "peak, MB": round(peak, 1), "CPU, % of one core": round(share, 2), "scored, %": round(100 * scored)}


def share_scored(bodies: list[bytes]) -> float:
    """Of the readings among published records, those that the model has looked at."""
    readings = [body for body in bodies if b'"kind":"reading"' in body]
    return sum(b"screen_score" in body for body in readings) / max(1, len(readings))


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
    logging.basicConfig(level=logging.ERROR)
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="croody-measure-"))
    if len(sys.argv) > 2:
        what, *more = sys.argv[2:]
        if what == "record":
            record(place, int(more[0]))
        else:
            per_s, beside = int(more[1]) if len(more) > 1 else 1, "beside" in more
            with mosquitto(place) if beside else nullcontext(0) as port:
                os.environ["MEASURE_MQTT_PORT"] = str(port)
                found = publishes(place) if what == "publishes" else idle(place, int(what), more[0], per_s, beside=beside)
            print(json.dumps(found))
        return
    for name, arguments in (
        ("durable publishes", ["publishes"]),
        ("1 agent, host, not screened", ["1", "host"]),
        ("1 agent, screening", ["1", "replay"]),
        ("1 agent, screening, ten readings a second", ["1", "replay", "10"]),
        ("1 agent, screening, with all that runs beside it", ["1", "replay", "1", "beside"]),
        ("50 agents in one process, screening", ["50", "replay"]),
    ):
        command = [sys.executable, __file__, str(place / "-".join(arguments)), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(f"{name}: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
