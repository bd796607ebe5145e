"""One reading a message while half a million rows wait for the roll-up: does the job hold up what comes in?"""

import secrets
from collections.abc import Iterator
from functools import partial

from tools.bench import child, preload
from tools.bench.offer import Target, offer
from tools.bench.plan import ROBOTS, Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.schedule import steady
from tools.bench.system import PAIRS, System, pair, system

#: A robot measures ten times a second: each page of rows that a job reads then touches every robot's same minute.
_SPACING_S = 0.1


def run(plan: Plan) -> Iterator[Row | Note]:
    """Both pairs."""
    for broker, database in PAIRS:
        with system(plan, broker, database, robots=min(ROBOTS, plan.backlog_rows // 100)) as own:
            own.start("broker", "telemetry", "bridge")
            outcome = play({OURS: partial(_once, plan, own)}, plan.rounds)
        where = pair(broker, database)
        what = f"one a message at {plan.backlog_rate:,}/s while {plan.backlog_rows:,} rows wait for the roll-up, {where}"
        yield outcome.row(f"{what}: stored of what was offered", "kept_up", "", Goal(0.9, most=False))
        yield outcome.row("the same: due to committed, p50", "p50", "ms")
        yield outcome.row("the same: due to committed, p99", "p99", "ms")
        held = "longest write lock of the worker" if database == "sqlite" else "longest transaction of the worker that writes"
        yield outcome.row(f"the same: {held}", "held", "ms", Goal(100))
        if database == "postgres":
            yield outcome.row("the same: longest wait for a lock", "waited", "ms", Goal(100))
        yield outcome.row("the same: confirmed and not stored", "lost", "readings", Goal(0))
        yield outcome.row("the same: readings that the worker rolled up meanwhile", "rolled_up", "readings")
        yield outcome.row("the same: generator's own lateness, p99", "late", "ms")


def _once(plan: Plan, own: System) -> Figures:
    preload.history(own, own.robots, plan.backlog_rows, spacing_s=_SPACING_S, stream=f"bench-load-{secrets.token_hex(4)}")
    rolled_up = preload.rolled_up(own.rows)
    own.start("worker")
    worker = {"pid": own.stack.pid("worker"), "application": "worker"}
    with child.beside("locks", {"sqlite": own.rows.sqlite, "postgres": own.rows.postgres, **worker}) as locks:
        result = offer(plan, Target.of(own), steady(plan.backlog_rate, plan.backlog_s))
    rolled_up = preload.rolled_up(own.rows) - rolled_up
    own.stack.stop("worker")
    return {
        "kept_up": result.kept_up,
        "p50": result.latency_ms(0.5),
        "p99": result.latency_ms(0.99),
        "held": 1000 * locks["held_s"],
        "waited": 1000 * locks.get("waited_s", 0.0),
        "lost": float(result.lost),
        "rolled_up": float(rolled_up),
        "late": result.late_p99_ms,
    }
