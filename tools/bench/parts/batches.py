"""Readings as our agents send them, a hundred a message, until they are acknowledged."""

import secrets
from collections.abc import Iterator
from functools import partial

from tools.bench.child import measure
from tools.bench.plan import BATCH, SENDERS, Plan
from tools.bench.processor import Meter, each
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.system import PAIRS, System, pair, system

_GOALS = {"sqlite": 40_000, "postgres": 35_000}
#: Robots, and unacknowledged batches of each.
_ROBOTS = 10
_WINDOW = 4
#: Whose processor is accounted for, and what the table calls them.
_PROCESSES = {"broker": "broker", "bridge": "bridge", "telemetry": "telemetry API", "worker": "worker"}
_SERVER = {"postgres": "PostgreSQL"}
#: Ten robots send as much as a whole fleet.
_NO_QUOTA = {"CROODY_QUOTA_WORK": "1000000", "CROODY_QUOTA_MIB": "1000000"}


def run(plan: Plan) -> Iterator[Row | Note]:
    """Both pairs."""
    for broker, database in PAIRS:
        with system(plan, broker, database, robots=_ROBOTS, environ=_NO_QUOTA) as own:
            own.start(*_PROCESSES)
            outcome = play({OURS: partial(_once, plan, own)}, plan.rounds)
        what = f"batches of {BATCH}, {pair(broker, database)}: readings stored and acknowledged"
        yield outcome.row(what, "rate", "/s", Goal(_GOALS[database], most=False))
        yield outcome.row("the same: processor of the load generator", "busy", "% of a core")
        for name, called in {**_PROCESSES, **(_SERVER if database == "postgres" else {})}.items():
            yield outcome.row(f"the same: processor of the {called}, each reading", name, "us")


def _once(plan: Plan, own: System) -> Figures:
    wanted = {
        "port": own.port,
        "accounts": list(own.accounts[:SENDERS]),
        "robots": own.robots,
        "stream": f"bench-{secrets.token_hex(6)}",
        "batch": BATCH,
        "window": _WINDOW,
        "seconds": plan.seconds,
    }
    meter = Meter(own.processes())
    found = measure("batches", wanted, timeout_s=plan.seconds + 90)
    return {"rate": found["rate"], "busy": 100 * found["busy"], **each(meter.used(), found["stored"])}
