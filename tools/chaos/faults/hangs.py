"""SIGSTOP: a process that is there, holds its connections and does nothing, until it goes on as if no time had passed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tools.chaos.arena import Arena
from tools.chaos.faults.base import Fault


def _hung(name: str, least_s: float, most_s: float) -> Callable[[Arena], None]:
    def play(arena: Arena) -> None:
        arena.sim(seconds=most_s + 8)
        arena.flowing()
        pid = arena.stack.pid(name)
        assert pid is not None, f"{name} does not run"
        os.killpg(pid, signal.SIGSTOP)
        try:
            arena.sleep(least_s, most_s)
        finally:
            os.killpg(pid, signal.SIGCONT)
        arena.over()

    return play


def _worker_processes_killed(arena: Arena) -> None:
    """Not the master but those that serve, in the middle of whatever they do."""
    arena.sim()
    arena.flowing()
    pid = arena.stack.pid("telemetry")
    for _ in range(4):
        arena.sleep(0.3, 1.5)
        serving = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        if serving:
            os.kill(int(arena.round.rng.choice(serving)), signal.SIGKILL)
        arena.over()


FAULTS = (
    Fault("telemetry-hung", _hung("telemetry", 8, 14)),
    Fault("broker-hung", _hung("broker", 8, 14)),
    Fault("bridge-hung", _hung("bridge", 8, 30)),
    Fault("telemetry-child-killed", _worker_processes_killed),
)
