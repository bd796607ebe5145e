"""Ten times what it can take, in open loop: how much is still stored a second, and is anything lost that was confirmed?"""

from collections.abc import Iterator
from functools import partial

from tools.bench.offer import Target, offer
from tools.bench.plan import ROBOTS, Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.schedule import Schedule, steady
from tools.bench.system import PAIRS, pair, system

_TIMES = 10
_PEAK = "its own peak"
#: Unconfirmed readings a connection that find the peak: enough for full relays, and no queue beyond.
_WINDOW = 200


def run(plan: Plan) -> Iterator[Row | Note]:
    """Both pairs. The peak is what one gets who waits for confirmations."""
    for broker, database in PAIRS:
        with system(plan, broker, database, robots=ROBOTS) as own:
            own.start("broker", "telemetry", "worker", "bridge")
            target = Target.of(own)

            peak = partial(_measure, plan, target, steady(1, plan.seconds), closed=True)
            found = peak()["goodput"]
            over = partial(_measure, plan, target, steady(max(100.0, _TIMES * found), plan.seconds), closed=False)
            outcome = play({OURS: over, _PEAK: peak}, plan.rounds)
        where = pair(broker, database)
        yield outcome.row(f"{_TIMES} x overload, {where}: stored", "goodput", "/s", Goal(0.9, most=False, of=_PEAK))
        yield outcome.row("the same: confirmed and not stored", "lost", "readings", Goal(0))
        yield outcome.row("the same: stored twice", "doubled", "readings")
        yield outcome.row("the same: processor of the load generator", "busy", "% of a core")


def _measure(plan: Plan, target: Target, schedule: Schedule, *, closed: bool) -> Figures:
    result = offer(plan, target, schedule, closed=closed, window=_WINDOW if closed else 0)
    return {"goodput": result.goodput(), "lost": float(result.lost), "doubled": float(result.doubled), "busy": 100 * result.busy}
