"""SIGKILL, several times a round, at moments that the dice choose. The process is started again at once."""

from collections.abc import Callable

from tools.chaos.arena import Arena
from tools.chaos.faults.base import Fault


def _killed(name: str, times: int = 3) -> Callable[[Arena], None]:
    def play(arena: Arena) -> None:
        arena.sim()
        arena.flowing()
        for _ in range(times):
            arena.sleep(0.2, 2.0)
            chosen = arena.round.rng.choice([each for each in arena.stack.processes if each == name or each.startswith(f"{name}-2")])
            arena.stack.kill(chosen)
            arena.over()
            arena.sleep(0.1, 0.8)
            arena.stack.start(chosen)

    return play


def _away_long(arena: Arena) -> None:
    """Longer than any time-out and back-off of an agent: its batches wait in its outbox, and go on within seconds."""
    arena.sim(seconds=140)
    arena.flowing()
    arena.stack.kill("telemetry")
    arena.sleep(125.0)
    arena.stack.start("telemetry")
    arena.over()


def _all_killed(arena: Arena) -> None:
    arena.sim(seconds=14)
    arena.flowing()
    names = ["broker", "telemetry", "worker", *arena.stack.options.bridge_names]
    for _ in range(2):
        arena.sleep(0.5, 2.0)
        arena.stack.kill(*names)
        arena.over()
        arena.round.rng.shuffle(names)
        arena.stack.start(*names)


def _simulator_killed(arena: Arena) -> None:
    state = None
    for number in range(4):
        sim = arena.sim(f"sim-{number}", seconds=6, state=state, must_end_well=number == 3)
        state = sim.state
        if number < 3:
            arena.sleep(1.5, 4.0)
            sim.process.kill()
            arena.over()


FAULTS = (
    Fault("broker-killed", _killed("broker")),
    Fault("bridge-killed", _killed("bridge")),
    Fault("telemetry-killed", _killed("telemetry")),
    Fault("worker-killed", _killed("worker")),
    Fault("telemetry-away-long", _away_long),
    Fault("all-killed", _all_killed),
    Fault("simulator-killed", _simulator_killed),
)
