"""Batches that come twice, late and in another order; also across midnight, where a day's partition ends."""

import dataclasses
import time
from datetime import UTC, datetime, timedelta

from tools.chaos.arena import ROBOTS, Arena, clock, faketime
from tools.chaos.faults.base import Fault
from tools.chaos.packets import RepeatAndReorder
from tools.stack import Spec


def _repeated(arena: Arena) -> None:
    rng = arena.round.rng
    arena.proxy.filtered(lambda: RepeatAndReorder(rng))
    try:
        arena.sim()
        arena.flowing()
        arena.sleep(9.0)
    finally:
        arena.proxy.filtered(None)
    arena.over()


def _across_midnight(arena: Arena) -> None:
    """The cloud's clock passes midnight while the same batches come again and again from a robot with a wrong clock.

    Its readings are booked by receipt time, so the same batch belongs to another day the second time.
    """
    rng = arena.round.rng
    midnight_in_s = 15
    shown = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=rng.randint(1, 2))
    usual = arena.stack.processes["telemetry"].spec
    arena.round.undo.append(lambda: _with_telemetry(arena, usual))
    began = time.monotonic()
    shifted = clock((shown - timedelta(seconds=midnight_in_s)).strftime("%Y-%m-%d %H:%M:%S"))
    _with_telemetry(arena, dataclasses.replace(usual, env={**usual.env, **shifted}))
    arena.proxy.filtered(lambda: RepeatAndReorder(rng, keep=400))
    try:
        arena.sim("right-clock", robots=ROBOTS[:1], seconds=22 / arena.pace)
        arena.sim("wrong-clock", robots=ROBOTS[1:], seconds=22 / arena.pace, env=clock("1970-01-02 00:00:00"))
        arena.flowing()
        time.sleep(max(2.0, began + midnight_in_s + 6 - time.monotonic()))
    finally:
        arena.proxy.filtered(None)
    arena.over()


def _on_two_days(arena: Arena) -> list[str]:
    streams = sorted({key[1] for key in arena.witnessed().hashes if key[0] in ROBOTS[1:]})
    marks = ",".join("?" * len(streams))
    days = arena.database.query(f"SELECT DISTINCT substr(cast(at AS text), 1, 10) FROM telemetry_record WHERE stream IN ({marks})", streams)
    return [] if len(days) > 1 else [f"all was booked on one day ({days}): midnight was missed, so this round showed nothing"]


def _with_telemetry(arena: Arena, spec: Spec) -> None:
    arena.stack.stop("telemetry")
    arena.stack.processes["telemetry"].spec = spec
    arena.stack.start("telemetry")


def _needs_faketime(arena: Arena) -> str | None:
    return None if faketime() else "libfaketime is not installed: apt-get install libfaketime"


FAULTS = (
    Fault("repeated-reordered", _repeated),
    Fault("across-midnight", _across_midnight, unfit=_needs_faketime, check=_on_two_days),
)
