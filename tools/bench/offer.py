"""Offers readings to a broker in open loop and says what became of each: confirmed, stored, when, doubled or lost."""

import secrets
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tools.bench import child
from tools.bench.plan import Plan
from tools.bench.processor import Meter, each
from tools.bench.rows import Rows
from tools.bench.schedule import Schedule
from tools.bench.stats import percentile, within
from tools.bench.system import System, settle

_LOOK_S = 0.002
#: Numbers of one load lie within so many, from a multiple of it on.
_APART = 10**7


@dataclass(frozen=True, slots=True)
class Target:
    """A broker and the table into which its readings go. `processes`: whose processor is accounted for, by what the table calls them."""

    port: int
    accounts: Sequence[tuple[str, str]]
    robots: Sequence[str]
    rows: Rows
    processes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, system: System) -> "Target":
        """Ours, with all that runs of it."""
        return cls(system.port, system.accounts, system.robots, system.rows, system.processes())

    @classmethod
    def peer(cls, own: System, port: int, rows: Rows, **processes: int) -> "Target":
        """A peer's, which asks nobody for a password and writes to our server."""
        accounts = [(name, "") for name, _ in own.accounts]
        return cls(port, accounts, own.robots, rows, {**processes, "postgres": own.processes()["postgres"]})


@dataclass(frozen=True, slots=True)
class Result:
    """Times are in seconds from the start of the load.

    Attributes:
        commits: of every stored row, ascending.
        served: of every reading that was stored, when it was due and how long it took from then; empty for a closed load.
        late_p99_ms: how late the load generator itself was.
        busy: its share of one processor: near 1, it is the generator that is measured.
        each_us: microseconds of each of the target's processes by a stored reading, and of `all` of them.
    """

    seconds: float
    offered: int
    sent: int
    confirmed: int
    lost: int
    doubled: int
    commits: Sequence[float]
    served: Sequence[tuple[float, float]]
    late_p99_ms: float
    busy: float
    each_us: Mapping[str, float] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Rows that are there at the end, doubles included."""
        return len(self.commits)

    def goodput(self, skip_s: float = 1.0) -> float:
        """Rows stored a second while the load lasted, without its first `skip_s`."""
        return within(self.commits, skip_s, self.seconds) / (self.seconds - skip_s)

    @property
    def kept_up(self) -> float:
        """The share of what was offered that was stored by the end of the load and one second more."""
        return within(self.commits, 0.0, self.seconds + 1) / self.offered

    def latency_ms(self, share: float) -> float:
        """A percentile of the time from due to committed; what was never stored counts as the longest that anything took, or more."""
        took = [one for _, one in self.served]
        never = max(0, self.offered - len(took))
        return 1000 * percentile([*took, *([max(self.seconds, *took)] * never)], share)


def offer(plan: Plan, target: Target, schedule: Schedule, *, closed: bool = False, window: int = 0) -> Result:
    """Offer the schedule's readings (`closed`: as many as `window` unconfirmed ones a connection allow), drain, and count."""
    number = Random(secrets.randbits(64)).randrange(1, 10**6) * _APART
    after = target.rows.newest()
    confirmed_file = plan.folder / f"confirmed-{secrets.token_hex(4)}"
    wanted = {
        "port": target.port,
        "accounts": list(target.accounts),
        "robots": list(target.robots),
        "first": schedule.first,
        "last": schedule.last,
        "seconds": schedule.seconds,
        "closed": closed,
        "window": window,
        "drain_s": plan.drain_s,
        "number": number,
        "confirmed": str(confirmed_file),
    }
    meter = Meter(target.processes)
    with _watched(plan, target.rows) as committed_at:
        said = child.measure("send", wanted, timeout_s=schedule.seconds + 10 * plan.drain_s + 60)
        settle(target.rows, after, said["confirmed"], plan.drain_s)
        used = meter.used()
        if target.rows.sqlite:
            time.sleep(3 * _LOOK_S)
    confirmed = array("Q", confirmed_file.read_bytes())
    confirmed_file.unlink()
    stored = committed_at([one for one in target.rows.numbers(after) if number <= one[0] < number + _APART])
    first_at: dict[int, float] = {}
    for n, at in stored:
        first_at[n] = min(at, first_at.get(n, at))
    began = said["began"]
    return Result(
        seconds=schedule.seconds,
        offered=said["offered"],
        sent=said["sent"],
        confirmed=said["confirmed"],
        lost=sum(number + index not in first_at for index in confirmed),
        doubled=len(stored) - len(first_at),
        commits=sorted(at - began for _, at in stored),
        served=[] if closed else _served(first_at, schedule, number, began),
        late_p99_ms=said["late_p99_ms"],
        busy=said["busy"],
        each_us=each(used, len(stored)),
    )


def _served(first_at: Mapping[int, float], schedule: Schedule, number: int, began: float) -> list[tuple[float, float]]:
    found = []
    for n, at in first_at.items():
        due = schedule.at(n - number)
        found.append((due, max(0.0, at - began - due)))
    return found


class _Commits:
    """Turns what `Rows.numbers` tells into moments."""

    def __init__(self) -> None:
        self.seen: tuple[Sequence[float], Sequence[float]] | None = None

    def __call__(self, stored: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
        if self.seen is None:
            return list(stored)
        times, ids = self.seen
        found = []
        for n, record_id in stored:
            place = min(bisect_left(ids, record_id), len(times) - 1)
            found.append((n, times[place]))
        return found


@contextmanager
def _watched(plan: Plan, rows: Rows) -> Iterator[_Commits]:
    commits = _Commits()
    if not rows.sqlite:
        yield commits
        return
    out = plan.folder / f"watched-{secrets.token_hex(4)}"
    wanted: dict[str, Any] = {"path": rows.sqlite, "table": rows.table, "every_s": _LOOK_S, "out": str(out)}
    with child.beside("watch", wanted):
        yield commits
    commits.seen = _read(out)


def _read(out: Path) -> tuple[Sequence[float], Sequence[float]]:
    pairs = array("d", out.read_bytes())
    out.unlink()
    return pairs[::2], pairs[1::2]
