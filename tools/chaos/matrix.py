"""Plays faults round by round and holds the books against the witness after each. Knows no fault by name."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tools.chaos import audit, plain
from tools.chaos.arena import ROBOTS, Arena
from tools.chaos.faults.base import Fault
from tools.words import Problem


@dataclass(slots=True)
class Row:
    """One line of the table: sums over the rounds, the longest recovery."""

    fault: str
    rounds: int = 0
    published: int = 0
    stored: int = 0
    dead: int = 0
    dropped: int = 0
    lost: int = 0
    doubled: int = 0
    recovery_s: float | None = None
    faults: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def good(self) -> bool:
        """Whether nothing happened that must never happen."""
        return not self.faults


def play(arena: Arena, faults: Iterable[Fault], rounds: int, seed: int, told: Callable[[Row], None]) -> list[Row]:
    """Every fault, `rounds` times; `told` hears of each row when it is complete."""
    rows = []
    for fault in faults:
        row = Row(fault.name, skipped=fault.unfit(arena))
        for number in range(1, rounds + 1):
            if row.skipped is None:
                _round(arena, fault, number, seed, row)
        rows.append(row)
        told(row)
    return rows


def _round(arena: Arena, fault: Fault, number: int, seed: int, row: Row) -> None:
    arena.begin(fault.name, number, seed)
    found: list[str] = []
    row.rounds += 1
    try:
        fault.play(arena)
        recovery_s = arena.recovery(fault.recovers_within_s)
        if recovery_s is None:
            found.append(f"not recovered within {fault.recovers_within_s:.0f} s")
        else:
            row.recovery_s = max(row.recovery_s or 0.0, recovery_s)
        arena.settle(fault.settles_within_s)
    except Problem as problem:
        found.append(str(problem))
        arena.settle(1)
    finally:
        arena.heal()
    found += arena.round.notes
    verdict = _verdict(arena, fault)
    found += verdict.faults
    found += fault.check(arena)
    if left := arena.left_in_outboxes():
        found.append(f"{left} records are still in outboxes")
    row.dead += verdict.dead
    row.dropped += verdict.dropped
    _add(row, verdict)
    for each in arena.plain_verdicts():
        _add(row, each)
    row.faults += [f"round {number}: {sentence}" for sentence in found]


def _add(row: Row, verdict: audit.Verdict | plain.Verdict) -> None:
    row.published += verdict.published
    row.stored += verdict.stored
    row.lost += verdict.lost
    row.doubled += verdict.doubled


def _verdict(arena: Arena, fault: Fault) -> audit.Verdict:
    """The audit. What is only late gets some seconds; what is lost stays lost."""
    deadline = time.monotonic() + fault.grace_s
    while True:
        books = audit.read(arena.database, "robot_id", ROBOTS)
        books.open_requests = audit.open_requests(arena.database, ROBOTS)
        verdict = audit.judge(arena.witnessed(), books, may_be_dead=fault.may_be_dead, may_be_dropped=fault.may_be_dropped)
        if not verdict.faults or time.monotonic() > deadline:
            return verdict
        time.sleep(0.5)
