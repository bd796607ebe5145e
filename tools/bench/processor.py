"""How much processor a process and all that belongs to it have taken: /proc, and nothing else."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS_A_S = os.sysconf("SC_CLK_TCK")


def used_s(leader: int) -> float:
    """Processor seconds of a process, its session and its children since each began; of children that ended, too.

    PostgreSQL's processes are children that lead sessions of their own.
    """
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name in parentheses, which may hold anything: state, parent, group, session, ...
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # It ended while we looked.
            continue
        if leader in (int(fields[1]), int(fields[3])):
            ticks += int(fields[11]) + int(fields[12])
        if folder.name == str(leader):
            ticks += int(fields[13]) + int(fields[14])
    return ticks / _TICKS_A_S


class Meter:
    """What several processes take from now on. `leaders`: what each is called -> its process id."""

    def __init__(self, leaders: Mapping[str, int]) -> None:
        self._leaders = leaders
        self._before = self._now()

    def used(self) -> dict[str, float]:
        """Processor seconds of each since the beginning."""
        return {name: now - self._before[name] for name, now in self._now().items()}

    def _now(self) -> dict[str, float]:
        return {name: used_s(leader) for name, leader in self._leaders.items()}


def each(used: Mapping[str, float], count: int) -> dict[str, float]:
    """Microseconds of each process by what was done `count` times, and of `all` of them."""
    return {name: 1e6 * seconds / max(1, count) for name, seconds in {**used, "all": sum(used.values())}.items()}
