"""What it costs an agent to listen to a robot that runs ROS 2: the whole process, with the outbox that all of it is written to."""

import secrets
from collections.abc import Iterator
from typing import Final

from tools.bench import child
from tools.bench.plan import Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row
from tools.bench.system import scratch

#: Messages a second, and domains of which one is taken at random: other benches may run on this machine.
_RATE: Final = 200
_DOMAINS: Final = range(100, 200)
_LIMIT_S: Final = 60.0


def run(plan: Plan) -> Iterator[Row | Note]:
    """Each round is a robot and an agent of its own."""
    rounds = [_round(plan) for _ in range(plan.rounds)]
    yield Row(f"ROS 2, {_RATE} messages/s: processor of the agent", "% of a core", {OURS: [one["cpu"] for one in rounds]}, Goal(20))
    yield Row("the same: messages lost", "", {OURS: [one["lost"] for one in rounds]}, Goal(0))
    yield Row("the same: memory", "MB", {OURS: [one["mb"] for one in rounds]})


def _round(plan: Plan) -> Figures:
    count = int(_RATE * plan.idle_s)
    domain = secrets.choice(_DOMAINS)
    agent = {"folder": str(scratch(plan, "ros2")), "domain": domain, "count": count, "limit_s": plan.idle_s + _LIMIT_S}
    process = child.begin("ros2_agent", agent)
    try:
        with child.beside("ros2_robot", {"domain": domain, "rate": _RATE, "count": count}):
            found = child.end(process, "ros2_agent", timeout_s=plan.idle_s + 2 * _LIMIT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    return {"cpu": found["cpu"], "lost": count - found["seen"], "mb": found["mb"]}
