"""Stock MQTT clients at QoS 1, without an agent: what was acknowledged to them is stored, whatever is killed, stalls or is flooded."""

import os
import signal
from collections.abc import Callable

from tools.chaos.arena import Arena
from tools.chaos.faults.base import Fault

#: Readings a second of each client: far below what any machine takes, so that a kill is what is tested.
_RATE = 150.0


def _killed(name: str, times: int = 3) -> Callable[[Arena], None]:
    def play(arena: Arena) -> None:
        arena.clients(rate=_RATE, seconds=12)
        arena.plain_flowing()
        for _ in range(times):
            arena.sleep(0.3, 2.0)
            chosen = arena.round.rng.choice([each for each in arena.stack.processes if each == name or each.startswith(f"{name}-2")])
            arena.stack.kill(chosen)
            arena.over()
            arena.sleep(0.1, 0.8)
            arena.stack.start(chosen)

    return play


def _stalled(arena: Arena) -> None:
    arena.clients(rate=_RATE, seconds=26)
    arena.plain_flowing()
    pid = arena.stack.pid("telemetry")
    assert pid is not None, "telemetry does not run"
    os.killpg(pid, signal.SIGSTOP)
    try:
        arena.sleep(18.0)
    finally:
        os.killpg(pid, signal.SIGCONT)
    arena.over()


def _database_down(arena: Arena) -> None:
    arena.clients(rate=_RATE, seconds=16)
    arena.plain_flowing()
    for _ in range(2):
        arena.stack.kill("postgres")
        arena.sleep(2.0, 4.0)
        arena.stack.start("postgres")
        arena.over()
        arena.sleep(1.0, 2.0)


def _overload(arena: Arena) -> None:
    """Ten times what the whole path stores in a second on a machine of two cores, or whatever TCP lets through of that."""
    arena.flood(rate=50_000, seconds=8)
    arena.sleep(8.0)
    arena.over()


def _in_order(arena: Arena) -> list[str]:
    sentences: list[str] = []
    for verdict in arena.plain_verdicts():
        sentences += verdict.faults
    return sentences


def _keeps_in_memory(arena: Arena) -> str | None:
    if arena.stack.options.broker == "mosquitto":
        return "Mosquitto acknowledges before the commit and keeps its queue in memory: what is in it when it is killed is lost"
    return None


def _not_postgres(arena: Arena) -> str | None:
    return "SQLite has no process to kill" if arena.database.is_sqlite else None


FAULTS = (
    Fault("plain-bridge-killed", _killed("bridge"), check=_in_order),
    Fault("plain-broker-killed", _killed("broker"), check=_in_order, unfit=_keeps_in_memory),
    Fault("plain-telemetry-killed", _killed("telemetry"), check=_in_order),
    Fault("plain-worker-killed", _killed("worker"), check=_in_order),
    Fault("plain-telemetry-stalled", _stalled, check=_in_order),
    Fault("plain-database-killed", _database_down, check=_in_order, unfit=_not_postgres),
    Fault("plain-overload", _overload, check=_in_order, recovers_within_s=240.0),
)
