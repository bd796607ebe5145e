"""The robot's own queue: at its limit, copied to a second place, and put back to an older state."""

import json
import shutil
import time

from tools.chaos.arena import ROBOTS, Arena
from tools.chaos.faults.base import Fault


def _at_limit(arena: Arena) -> None:
    arena.proxy.set("cut")
    try:
        # A megabyte is the smallest limit; at this rate it is full within seconds.
        arena.sim(robots=ROBOTS[:1], rate_hz=400, seconds=24, env={"CROODY_OUTBOX_LIMIT_BYTES": str(1024 * 1024)})
        arena.sleep(18.0)
    finally:
        arena.proxy.set("open")
    arena.over()


def _some_dropped(arena: Arena) -> list[str]:
    records = set(arena.database.query("SELECT robot_id, stream, seq FROM telemetry_record WHERE robot_id = ?", [ROBOTS[0]]))
    sql = "SELECT data FROM telemetry_record WHERE robot_id = ? AND kind = 'tombstone'"
    told = [row[0] if isinstance(row[0], dict) else json.loads(row[0]) for row in arena.database.query(sql, [ROBOTS[0]])]
    faults = [] if arena.accounted() - records else ["nothing was thinned: the limit was not reached, so this round showed nothing"]
    # A robot that no longer has what it was asked for says `unknown`: that is a loss, and must not pass for thinning.
    streams = {stream for _, stream, _ in arena.witnessed().hashes}
    for stone in told:
        if stone["stream"] in streams and stone["reason"] != "thinned":
            faults.append(
                f"stream {stone['stream']}: {stone['ranges'][:3]} declared lost as {stone['reason']} where only the limit was at work"
            )
    return faults


def _copied_while_running(arena: Arena) -> None:
    first = arena.sim("first", seconds=14)
    arena.flowing()
    arena.proxy.set("cut")
    arena.sleep(1.5, 2.5)
    copy = arena.round.folder / "copy-state"
    shutil.copytree(first.state, copy)
    arena.proxy.set("open")
    arena.sim("second", seconds=8, state=copy)
    arena.over()


def _copied_after_stop(arena: Arena) -> None:
    first = arena.sim("first", seconds=30, must_end_well=False)
    arena.flowing()
    arena.proxy.set("cut")
    arena.sleep(1.5, 2.5)
    first.process.stop()
    copy = arena.round.folder / "copy-state"
    shutil.copytree(first.state, copy)
    arena.proxy.set("open")
    arena.sim("original", seconds=8, state=first.state)
    arena.sim("copy", seconds=8, state=copy)
    arena.over()


def _snapshot_restored(arena: Arena) -> None:
    first = arena.sim("first", seconds=30, must_end_well=False)
    arena.flowing()
    arena.proxy.set("cut")
    arena.sleep(1.5, 2.5)
    snapshot = arena.round.folder / "snapshot"
    shutil.copytree(first.state, snapshot)
    arena.proxy.set("open")
    # The card goes back only after all that it held was acknowledged: what is on no disk cannot be kept.
    time.sleep(0.5)
    first.process.stop(20)
    again = arena.sim("drained", seconds=3, state=first.state)
    again.process.wait(90)
    shutil.rmtree(first.state)
    snapshot.rename(first.state)
    arena.sim("restored", seconds=6, state=first.state)
    arena.over()


FAULTS = (
    Fault("outbox-at-limit", _at_limit, may_be_dropped=True, check=_some_dropped),
    Fault("outbox-copied-running", _copied_while_running),
    Fault("outbox-copied-stopped", _copied_after_stop),
    Fault("snapshot-restored", _snapshot_restored),
)
