"""Robots whose clocks are years away, in the same relays as a good one."""

from tools.chaos.arena import ROBOTS, Arena, clock, faketime
from tools.chaos.faults.base import Fault


def _wrong(arena: Arena) -> None:
    arena.sim("good", robots=ROBOTS[:1])
    arena.sim("at-1970", robots=ROBOTS[1:2], env=clock("1970-01-01 00:00:30"))
    arena.sim("at-2029", robots=ROBOTS[2:], env=clock("2029-06-01 12:00:00"))
    arena.flowing(60)
    arena.stack.kill("telemetry")
    arena.over()
    arena.stack.start("telemetry")


def _flagged(arena: Arena) -> list[str]:
    faults = []
    streams = {robot: sorted({key[1] for key in arena.witnessed().hashes if key[0] == robot}) for robot in ROBOTS}
    for robot, wrong in zip(ROBOTS, (False, True, True), strict=True):
        marks = ",".join("?" * len(streams[robot]))
        rows = arena.database.query(
            f"SELECT clock_wrong, count(*) FROM telemetry_record WHERE robot_id = ? AND stream IN ({marks}) AND ts IS NOT NULL GROUP BY 1",
            [robot, *streams[robot]],
        )
        if {bool(flag) for flag, _ in rows} != {wrong}:
            faults.append(f"{robot}: readings should {'all' if wrong else 'not'} be flagged clock_wrong; found {rows}")
    return faults


def _needs_faketime(arena: Arena) -> str | None:
    return None if faketime() else "libfaketime is not installed: apt-get install libfaketime"


FAULTS = (Fault("clocks-1970-2029", _wrong, unfit=_needs_faketime, check=_flagged),)
