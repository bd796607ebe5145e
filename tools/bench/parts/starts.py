"""Robots that start again and again: nothing that a page asks may cost more for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from tools.bench import pages, preload
from tools.bench.plan import Plan
from tools.bench.row import OURS, Contenders, Figures, Goal, Note, Row, play
from tools.bench.system import NAMES, PAIRS, System, system

_READINGS = 5


def run(plan: Plan) -> Iterator[Row | Note]:
    """Two systems a database run side by side, one whose robots started seldom and one whose robots started often."""
    few, many = plan.starts
    seldom = f"{few:,} starts"
    for broker, database in PAIRS:
        with ExitStack() as both:
            built = [both.enter_context(system(plan, broker, database, robots=1)) for _ in (few, many)]
            names, _ = (_fill(own, plan, starts) for own, starts in zip(built, (few, many), strict=True))
            for own in built:
                preload.let_jobs_fold(own, plan.starts_robots)
                # It would go on for minutes with rolling up what was loaded, fifty times as much on one side.
                own.stack.stop("worker")
            for turn, (title, one) in enumerate(_asked(plan).items(), start=1):
                # One was filled minutes before the other: pages draw what was heard of late, so both hear something now.
                for own in built:
                    preload.send(own, names, _READINGS, first=turn * _READINGS + 1)
                contenders: Contenders = {OURS: partial(one, built[1]), seldom: partial(one, built[0])}
                what = f"{title}, {plan.starts_robots} robots of {many:,} starts, {NAMES[database]}"
                yield play(contenders, plan.rounds).row(what, "ms", "ms", Goal(1.2, of=seldom))
            yield Row(f"a row of the ledger with its indexes, {NAMES[database]}", "B", {OURS: [preload.ledger_row_bytes(built[1].rows)]})


def _asked(plan: Plan) -> dict[str, Callable[[System], Figures]]:
    def of(server: str, path: str) -> Callable[[System], Figures]:
        return lambda own: {"ms": pages.ask(getattr(own.stack.options.ports, server), path, plan.requests).ms}

    return {
        "`last`": of("telemetry", "/api/telemetry/last?robot_id=bench-00000"),
        "`live`, 1 a robot": of("telemetry", "/api/telemetry/live?limit_per_robot=1"),
        "`live`, 20 a robot": of("telemetry", "/api/telemetry/live?limit_per_robot=20"),
        "the monitor": of("web", "/robots/monitor/"),
    }


def _fill(own: System, plan: Plan, starts: int) -> list[str]:
    """Returns its robots: those of both systems have the same names."""
    own.start("broker", "telemetry", "bridge", "web")
    names = preload.robots(own, plan.starts_robots)
    preload.send(own, names, _READINGS)
    preload.earlier_starts(own, starts, readings=_READINGS)
    preload.analyse(own.rows)
    own.start("worker")
    return names
