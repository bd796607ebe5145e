"""A running Croody with a proxy before its broker and simulators whose witness is kept: what every fault plays on."""

import json
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from croody.operations.secrets import write_credentials
from tools.chaos import audit, plain, witness
from tools.chaos.proxy import Proxy
from tools.stack import Options, Process, Spec, Stack, script, source_path
from tools.words import Problem

#: The robots that every round uses; a round's streams are its own.
ROBOTS = ("chaos-1", "chaos-2", "chaos-3")
#: So many readings of one stock client are open in good times: what it publishes within a commit or two.
_OPEN = 60
#: Robots that run no agent.
PLAIN_ROBOTS = ("plain-1", "plain-2", "plain-3")


@dataclass(slots=True)
class Sim:
    """One simulator process of a round."""

    name: str
    process: Process
    witness: Path
    state: Path
    must_end_well: bool = True


@dataclass(slots=True)
class Plain:
    """One process of a round that publishes plain readings of some robots; `tag` is in each of them."""

    robots: tuple[str, ...]
    tag: str
    process: Process
    witness: Path


@dataclass(slots=True)
class Round:
    """What one round has started and noticed."""

    folder: Path
    rng: random.Random
    sims: list[Sim] = field(default_factory=list)
    plain: list[Plain] = field(default_factory=list)
    #: Rows of plain robots before this round.
    plain_rows: int = 0
    over_at: float | None = None
    notes: list[str] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)

    def processes(self) -> list[Process]:
        """All that publish."""
        return [*(sim.process for sim in self.sims), *(each.process for each in self.plain)]


class Arena:
    """Use as a context manager: everything ends with it."""

    def __init__(self, options: Options, *, pace: float = 1.0) -> None:
        """`pace` below 1 shortens every round (the short form in the tests)."""
        self.stack = Stack(options)
        self.pace = pace
        self.proxy = Proxy(options.ports.mqtt)
        self.round = Round(options.state, random.Random(0))
        self.credentials: dict[str, str] = {}
        #: What most faults have no use for.
        self._asleep: dict[str, Process] = {}

    def __enter__(self) -> "Arena":
        try:
            self.stack.prepare()
            for name in ("web", "ids"):
                if process := self.stack.processes.pop(name, None):
                    self._asleep[name] = process
            self.stack.start()
            self.credentials = {robot_id: self.stack.add_robot(robot_id) for robot_id in (*ROBOTS, *PLAIN_ROBOTS)}
            time.sleep(1.5)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process."""
        self.proxy.close()
        self.stack.close()

    @property
    def database(self) -> audit.Database:
        """For SQL of our own."""
        return audit.Database(self.stack.database_urls)

    def wake(self, name: str) -> None:
        """Start what most faults do without (`web`, `ids`)."""
        if name in self._asleep:
            self.stack.processes[name] = self._asleep.pop(name)
            self.stack.start(name)

    # -- rounds ------------------------------------------------------------------------------------------------
    def begin(self, name: str, number: int, seed: int) -> None:
        """A fresh folder and fresh dice."""
        folder = self.stack.options.state / "rounds" / f"{name}-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.round = Round(folder, random.Random(f"{name}:{number}:{seed}"), plain_rows=self._plain_rows())

    def sim(
        self,
        name: str = "sim",
        *,
        robots: tuple[str, ...] = ROBOTS,
        rate_hz: float = 20,
        seconds: float = 12,
        state: Path | None = None,
        env: Mapping[str, str] | None = None,
        must_end_well: bool = True,
    ) -> Sim:
        """Start a simulator that publishes for `seconds` and then ends once all is acknowledged."""
        folder = self.round.folder
        state = state or folder / f"{name}-state"
        state.mkdir(exist_ok=True)
        credentials = folder / f"{name}.credentials"
        write_credentials(credentials, {robot_id: self.credentials[robot_id] for robot_id in robots})
        seen = folder / f"{name}.witness"
        argv = [script("croody-sim"), "--broker", self.proxy.url, "--credentials", str(credentials), "--state", str(state)]
        argv += ["--robots", str(len(robots)), "--rate", str(rate_hz), "--duration", str(max(3.0, seconds * self.pace))]
        argv += ["--seed", str(self.round.rng.randrange(10**6)), "--witness", str(seen), "--witness-hashes", "--no-tcp"]
        environ = {"ROBOT_ID": robots[0], **self.environ, **(env or {})}
        # One name a stack: a second simulator of the same name takes the first one's place when it has ended.
        process = self.stack.add(Spec(f"{name}-{folder.name}-{len(self.round.sims)}", argv, environ, cwd=folder))
        process.start()
        sim = Sim(name, process, seen, state, must_end_well)
        self.round.sims.append(sim)
        return sim

    def clients(self, *, rate: float, seconds: float) -> None:
        """Start a stock client for each plain robot."""
        for robot_id in PLAIN_ROBOTS:
            wanted = {"robot_id": robot_id, "secret": self.credentials[robot_id], "rate": rate, "seconds": max(3.0, seconds * self.pace)}
            self._plain("client", (robot_id,), wanted)

    def flood(self, *, rate: float, seconds: float) -> None:
        """Start a process that publishes for all plain robots, open loop."""
        clients = [(robot_id, self.credentials[robot_id]) for robot_id in PLAIN_ROBOTS]
        self._plain("flood", PLAIN_ROBOTS, {"clients": clients, "rate": rate, "seconds": max(3.0, seconds * self.pace)})

    def _plain(self, program: str, robots: tuple[str, ...], wanted: dict[str, object]) -> None:
        name = f"{program}-{len(self.round.plain)}"
        tag, seen = f"{self.round.folder.name}-{name}", self.round.folder / f"{name}.witness"
        wanted |= {"port": self.stack.options.ports.mqtt, "tag": tag, "witness": str(seen)}
        argv = [sys.executable, "-m", f"tools.chaos.{program}", json.dumps(wanted)]
        # Where this very package lies, and what it imports.
        path = os.pathsep.join([str(Path(__file__).parents[2]), source_path()])
        process = self.stack.add(
            Spec(f"{name}-{self.round.folder.name}", argv, {**self.environ, "PYTHONPATH": path}, cwd=self.round.folder)
        )
        process.start()
        self.round.plain.append(Plain(robots, tag, process, seen))

    def plain_flowing(self, readings: int = 60, within_s: float = 30) -> None:
        """Wait until so many plain readings of this round were acknowledged.

        Raises:
            Problem: nothing flows although nothing was broken yet.
        """
        deadline = time.monotonic() + within_s
        while sum(len(seen.acknowledged) for seen in plain.read([each.witness for each in self.round.plain]).values()) < readings:
            if time.monotonic() > deadline:
                tails = "\n".join(each.process.log_tail(8) for each in self.round.plain)
                raise Problem(f"No fluye nada antes del fallo:\n{tails}", f"Nothing flows before the fault:\n{tails}")
            time.sleep(0.1)

    def plain_verdicts(self) -> list[plain.Verdict]:
        """What the database holds of this round's plain readings, against what their witnesses saw."""
        seen = plain.read([each.witness for each in self.round.plain])
        return [plain.judge(seen[each.witness], plain.stored(self.database, each.robots, each.tag)) for each in self.round.plain]

    @property
    def environ(self) -> dict[str, str]:
        """What every simulator gets: quick to notice and to try again, so that rounds are short."""
        return {"CROODY_KEEPALIVE_S": "4", "PYTHONUNBUFFERED": "1"}

    def witnessed(self) -> witness.Witness:
        """What the simulators of this round have seen so far."""
        return witness.read([sim.witness for sim in self.round.sims])

    def sleep(self, least_s: float, most_s: float | None = None) -> None:
        """Wait for a random time, shortened by the pace."""
        time.sleep(self.pace * self.round.rng.uniform(least_s, most_s or least_s))

    def flowing(self, readings: int = 30, within_s: float = 30) -> None:
        """Wait until this round's simulators have published, and the database has stored, so many readings.

        Raises:
            Problem: nothing flows although nothing was broken yet.
        """
        deadline = time.monotonic() + within_s
        while len(self.accounted()) < readings:
            if time.monotonic() > deadline:
                tails = "\n".join(sim.process.log_tail(8) for sim in self.round.sims)
                raise Problem(f"No fluye nada antes del fallo:\n{tails}", f"Nothing flows before the fault:\n{tails}")
            time.sleep(0.1)

    def accounted(self) -> set[witness.Key]:
        """Keys of this round that the database holds in any way; nothing while it cannot be asked."""
        try:
            return audit.accounted(self.database, self.witnessed().hashes)
        except audit.UNREACHABLE:
            return set()

    def over(self) -> None:
        """The fault has ended: recovery is counted from here."""
        self.round.over_at = time.monotonic()

    # -- settling ----------------------------------------------------------------------------------------------
    def recovery(self, within_s: float) -> float | None:
        """Seconds from the end of the fault until all that was published up to then is accounted for. None: never."""
        begun = self.round.over_at or time.monotonic()
        wanted = self.witnessed().hashes.keys()
        while time.monotonic() - begun < within_s:
            if wanted <= self.accounted() and self._plain_recovered():
                return time.monotonic() - begun
            time.sleep(0.15)
        return None

    def _plain_recovered(self) -> bool:
        """Whether no stock client has more open than in good times, every flood is over (its witness is written last), and as many are
        stored as were acknowledged: on Mosquitto that is later."""
        if not self.round.plain:
            return True
        seen = plain.read([each.witness for each in self.round.plain])
        if not all(path.exists() and len(one.sent - one.acknowledged) <= _OPEN for path, one in seen.items()):
            return False
        return self._plain_rows() - self.round.plain_rows >= sum(len(one.acknowledged) for one in seen.values())

    def _plain_rows(self) -> int:
        try:
            return plain.count(self.database, PLAIN_ROBOTS)
        except audit.UNREACHABLE:
            return 0

    def settle(self, within_s: float) -> None:
        """Wait until every simulator has ended, and note those that did not end well."""
        deadline = time.monotonic() + within_s
        for sim in self.round.sims:
            ended = sim.process.wait(max(0.1, deadline - time.monotonic()))
            if not ended:
                self.round.notes.append(f"{sim.name} still waits for acknowledgements after {within_s:.0f} s")
                sim.process.kill()
            elif sim.must_end_well and sim.process.returncode != 0:
                tail = sim.process.log_tail(3).replace("\n", " | ")
                self.round.notes.append(f"{sim.name} ended with {sim.process.returncode}: {tail}")
        for each in self.round.plain:
            if not each.process.wait(max(0.1, deadline - time.monotonic())) or each.process.returncode != 0:
                tail = each.process.log_tail(3).replace("\n", " | ")
                self.round.notes.append(f"{each.tag} still waits for its PUBACKs, or ended badly, after {within_s:.0f} s: {tail}")
                each.process.kill()
        for process in self.round.processes():
            self.stack.processes.pop(process.spec.name, None)

    def heal(self) -> None:
        """Whatever a round broke is whole again, also when it was broken off."""
        self.proxy.set("open")
        self.proxy.filtered(None)
        for process in self.round.processes():
            process.kill()
        for undo in self.round.undo:
            undo()
        self.stack.start()

    def left_in_outboxes(self) -> int:
        """Records that the outboxes of this round still hold, by SQL of our own."""
        return sum(_rows(path) for sim in self.round.sims for path in _outboxes(sim.state))


def _outboxes(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_sqlite(path)]


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(15) == b"SQLite format 3"


def _rows(path: Path) -> int:
    import sqlite3

    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return int(connection.execute("SELECT count(*) FROM record").fetchone()[0]) if "record" in tables else 0
    finally:
        connection.close()


def faketime() -> Path | None:
    """The library that gives a process another clock (Debian's libfaketime), None where it is not installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def clock(shown: str) -> dict[str, str]:
    """Environment under which a Python process starts at another time; its timers run on as they do.

    `shown`: UTC, as `2029-01-01 00:00:00`; it goes on from there.
    """
    path = os.pathsep.join([str(Path(__file__).parent / "steady"), source_path()])
    return {"LD_PRELOAD": str(faketime()), "FAKETIME": f"@{shown}", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC", "PYTHONPATH": path}
