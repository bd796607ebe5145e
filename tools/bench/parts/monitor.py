"""The public page of a large fleet: how long it takes, and how many bytes it is."""

from collections.abc import Iterator
from functools import partial

from tools.bench import pages, preload
from tools.bench.plan import Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.system import NAMES, PAIRS, System, system

#: Milliseconds, for the smaller and the larger fleet.
_GOALS = (150.0, 500.0)
_READINGS = 5


def run(plan: Plan) -> Iterator[Row | Note]:
    """One database after the other; the fleet grows between."""
    for broker, database in PAIRS:
        with system(plan, broker, database, robots=1) as own:
            own.start("broker", "telemetry", "bridge", "worker", "web")
            sent = 0
            for robots, goal in zip(plan.monitor, _GOALS, strict=True):
                names = preload.robots(own, robots)
                preload.send(own, names[sent:], _READINGS)
                sent = robots
                preload.analyse(own.rows)
                preload.let_jobs_fold(own, robots)
                outcome = play({OURS: partial(_once, own, plan)}, plan.rounds)
                yield outcome.row(f"the monitor, {robots:,} robots, {NAMES[database]}", "ms", "ms", Goal(goal))
                yield outcome.row("the same: size", "kb", "kB")
                yield outcome.row("the same: size behind a gateway that compresses", "packed", "kB")


def _once(own: System, plan: Plan) -> Figures:
    page = pages.ask(own.stack.options.ports.web, "/robots/monitor/", plan.requests)
    return {"ms": page.ms, "kb": len(page.body) / 1000, "packed": page.packed / 1000}
