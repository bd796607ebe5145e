"""Batches that come twice, late and in another order; also across midnight, where a day's partition ends."""

import dataclasses
from datetime import UTC, datetime, timedelta

from tools.chaos.arena import ROBOTS, Arena, clock, faketime
from tools.chaos.faults.base import Fault
from tools.chaos.packets import RepeatAndReorder


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
    midnight = datetime.now(UTC).replace(hour=23, minute=59, second=52, microsecond=0) + timedelta(days=rng.randint(0, 1))
    usual = arena.stack.processes["telemetry"].spec
    _with_telemetry(arena, dataclasses.replace(usual, env={**usual.env, **clock(midnight.strftime("%Y-%m-%d %H:%M:%S"))}))
    arena.proxy.filtered(lambda: RepeatAndReorder(rng, keep=400))
    try:
        arena.sim("right-clock", robots=ROBOTS[:1], seconds=16)
        arena.sim("wrong-clock", robots=ROBOTS[1:], seconds=16, env=clock("1970-01-02 00:00:00"))
        arena.flowing()
        arena.sleep(13.0)
    finally:
        arena.proxy.filtered(None)
        arena.over()
    arena.settle(90)
    _with_telemetry(arena, usual)


def _on_two_days(arena: Arena) -> list[str]:
    streams = sorted({key[1] for key in arena.witnessed().hashes if key[0] in ROBOTS[1:]})
    marks = ",".join("?" * len(streams))
    days = arena.database.query(f"SELECT DISTINCT substr(cast(at AS text), 1, 10) FROM telemetry_record WHERE stream IN ({marks})", streams)
    return [] if len(days) > 1 else [f"all was booked on one day ({days}): midnight was missed, so this round showed nothing"]


def _with_telemetry(arena: Arena, spec: object) -> None:
    arena.stack.stop("telemetry")
    arena.stack.processes["telemetry"].spec = spec  # type: ignore[assignment]
    arena.stack.start("telemetry")


def _needs_faketime(arena: Arena) -> str | None:
    return None if faketime() else "libfaketime is not installed: apt-get install libfaketime"


FAULTS = (
    Fault("repeated-reordered", _repeated),
    Fault("across-midnight", _across_midnight, unfit=_needs_faketime, check=_on_two_days),
)
