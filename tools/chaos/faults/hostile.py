"""A robot with its own credential does its worst at full speed, while others are measured: what they see may not get old or slow."""

import json
import os
import sys
import time
from pathlib import Path

from tools.chaos.arena import ROBOTS, Arena
from tools.chaos.faults.base import Fault
from tools.chaos.hostile import READY
from tools.chaos.onlooker import Onlooker
from tools.stack import Spec, source_path

#: Who does its worst.
HOSTILE = "hostile-1"


def _worst(arena: Arena) -> None:
    """All kinds at once, or those that `HOSTILE` names, for `HOSTILE_S` seconds."""
    seconds = float(os.environ.get("HOSTILE_S") or 60) * arena.pace
    robot_id, victim = f"{HOSTILE}-{arena.round.rng.randrange(10**6)}", f"victim-{arena.round.rng.randrange(10**6)}"
    secret, victims = arena.stack.add_robot(robot_id), arena.stack.add_robot(victim)
    arena.wake("web")
    arena.sim(seconds=(seconds + 10) / arena.pace, rate_hz=10)
    arena.flowing()
    usual = Onlooker(arena.database, ROBOTS, f"{arena.stack.web_url}/robots/monitor/")
    usual.start()
    time.sleep(5)
    usual.stop()
    kinds = [name for name in os.environ.get("HOSTILE", "").split(",") if name]
    wanted = {"port": arena.stack.options.ports.mqtt, "robot_id": robot_id, "secret": secret, "seconds": seconds, "kinds": kinds}
    path = os.pathsep.join([str(Path(__file__).parents[3]), source_path()])
    argv = [sys.executable, "-m", "tools.chaos.hostile", json.dumps(wanted)]
    process = arena.stack.add(Spec(f"hostile-{arena.round.folder.name}", argv, {"PYTHONPATH": path}, cwd=arena.round.folder))
    onlooker = Onlooker(arena.database, ROBOTS, f"{arena.stack.web_url}/robots/monitor/")
    arena.round.undo.append(onlooker.stop)
    process.start()
    while READY not in process.log_tail(1) and process.alive:
        time.sleep(0.1)
    onlooker.start()
    time.sleep(seconds / 2)
    onlooker.revoke(arena.stack.options.ports.mqtt, victim, victims, lambda: arena.stack.manage("robot", "revoke", victim))
    process.wait(seconds + 30)
    arena.over()
    onlooker.stop()
    print(f"    {process.log_tail(1)}\n    before: {usual.seen.line()}\n    meanwhile: {onlooker.seen.line()}", flush=True)
    arena.round.notes += onlooker.seen.faults(slack=float(os.environ.get("SLACK") or 1))


FAULTS = (Fault("robot-hostile", _worst),)
