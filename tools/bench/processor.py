"""How much processor a process and all its children have taken: /proc, and nothing else."""

import os
from pathlib import Path

_TICKS_A_S = os.sysconf("SC_CLK_TCK")


def used_s(session: int) -> float:
    """Processor seconds of every process of this session that still runs, since each began."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name in parentheses, which may hold anything: state, parent, group, session, ...
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # It ended while we looked.
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_A_S
