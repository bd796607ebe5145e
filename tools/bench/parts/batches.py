"""Readings as our agents send them, a hundred a message, until they are acknowledged."""

import itertools
import secrets
import time
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
#: Readings a second that nobody reaches: so many bodies are made.
_BEYOND = 150_000
#: Of robots whose clock stands still: batches until the first comes again.
_REPEATED = 1
_SPACING_S = 0.1
#: Whose processor is accounted for, and what the table calls them.
_PROCESSES = {"broker": "broker", "bridge": "bridge", "telemetry": "telemetry API", "worker": "worker"}
_SERVER = {"postgres": "PostgreSQL"}
#: Ten robots send as much as a whole fleet.
_NO_QUOTA = {"CROODY_QUOTA_WORK": "1000000", "CROODY_QUOTA_MIB": "1000000"}


def run(plan: Plan) -> Iterator[Row | Note]:
    """Both pairs."""
    bodies = int(_BEYOND * plan.seconds) // (_ROBOTS * BATCH)
    for broker, database in PAIRS:
        with system(plan, broker, database, robots=_ROBOTS, environ=_NO_QUOTA) as own:
            own.start(*_PROCESSES)
            # The rounds follow each other in the robots' time, too.
            oldest = itertools.count(time.time() - 86_400, bodies * BATCH * _SPACING_S)
            outcome = play({OURS: partial(_once, plan, own, bodies, oldest)}, plan.rounds)
            repeating = play({OURS: partial(_once, plan, own, _REPEATED, oldest)}, plan.rounds)
        what = f"batches of {BATCH}, {pair(broker, database)}: readings stored and acknowledged"
        yield outcome.row(what, "rate", "/s", Goal(_GOALS[database], most=False))
        yield outcome.row("the same: processor of the load generator", "busy", "% of a core")
        for name, called in {**_PROCESSES, **(_SERVER if database == "postgres" else {})}.items():
            yield outcome.row(f"the same: processor of the {called}, each reading", name, "us")
        yield repeating.row(f"the same, by robots whose clock repeats the same {BATCH} moments", "rate", "/s")
    yield Note(f"Robots measured ten times a second, and have been away: their times go on from batch to batch, {BATCH} a message.")


def _once(plan: Plan, own: System, bodies: int, oldest: Iterator[float]) -> Figures:
    wanted = {
        "port": own.port,
        "accounts": list(own.accounts[:SENDERS]),
        "robots": own.robots,
        "stream": f"bench-{secrets.token_hex(6)}",
        "batch": BATCH,
        "window": _WINDOW,
        "seconds": plan.seconds,
        "bodies": bodies,
        "oldest": next(oldest),
        "spacing_s": _SPACING_S,
    }
    meter = Meter(own.processes())
    found = measure("batches", wanted, timeout_s=plan.seconds + 90)
    return {"rate": found["rate"], "busy": 100 * found["busy"], **each(meter.used(), found["stored"])}
