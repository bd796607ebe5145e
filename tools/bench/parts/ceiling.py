"""One reading a message over Mosquitto into PostgreSQL: where each contender stops keeping up, and how late it is at ease."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from tools.bench import child, preload
from tools.bench.offer import Target, offer
from tools.bench.peers import hand_bridge, mosquitto, node_red
from tools.bench.peers.absent import Absent
from tools.bench.plan import ROBOTS, Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, number, play
from tools.bench.schedule import Schedule, steady
from tools.bench.stats import sustained
from tools.bench.system import System, system

#: What our worker still makes of a round would take processor time from whoever comes next: it gets so long for it, in seconds.
_ROLLED_UP_S = 120
#: Whose processor is accounted for, and what the table calls them.
_PROCESSES = {"broker": "broker", "bridge": "bridge", "telemetry": "telemetry API", "postgres": "PostgreSQL", "worker": "worker"}
_BATCHED, _ONE_BY_ONE = node_red.name("batched"), node_red.name("one by one")


def run(plan: Plan) -> Iterator[Row | Note]:
    """Every contender has a broker of its own, and all share one PostgreSQL server; who is not measured is idle."""
    with ExitStack() as ends:
        own = ends.enter_context(system(plan, "mosquitto", "postgres", robots=ROBOTS))
        own.start("broker", "telemetry", "worker", "bridge")
        targets = {OURS: Target.of(own)}
        absent: list[Note] = []
        for name, peer in (
            (_BATCHED, node_red.node_red(plan, own, "batched")),
            (_ONE_BY_ONE, node_red.node_red(plan, own, "one by one")),
            (hand_bridge.NAME, hand_bridge.hand_bridge(plan, own)),
        ):
            try:
                targets[name] = ends.enter_context(peer)
            except Absent as why:
                absent.append(Note(str(why)))
        first, last = plan.ramp
        climbed = play({name: partial(_climb, plan, own, target, _ramp(plan, name)) for name, target in targets.items()}, plan.rounds)
        calm = play({name: partial(_calm, plan, own, target) for name, target in targets.items()}, plan.rounds)
        alone = _generator(plan, ends.enter_context(mosquitto.bare(plan)).port, targets[OURS])
    what = f"one a message, Mosquitto + PostgreSQL, the offer rising from {first:,} to {last:,}/s"
    yield climbed.row(f"{what}: stored where it no longer keeps up", "most", "/s", Goal(0.9, most=False, of=_BATCHED))
    yield climbed.row("the same: confirmed and not stored", "lost", "readings", Goal(0))
    yield climbed.row("the same: processor of the load generator", "busy", "% of a core")
    yield climbed.row("the same: processor of everything but the generator, each reading", "all", "us")
    for name, called in _PROCESSES.items():
        yield climbed.row(f"the same: processor of the {called}, each reading", name, "us")
    yield calm.row(f"at {plan.steady_rate:,}/s: due to committed, p50", "p50", "ms")
    yield calm.row(f"at {plan.steady_rate:,}/s: due to committed, p99", "p99", "ms", Goal(3, of=_BATCHED))
    yield calm.row(f"at {plan.steady_rate:,}/s: generator's own lateness, p99", "late", "ms")
    yield Note(f"The load generator alone, against a Mosquitto that delivers to nobody: {number(alone)} readings/s.")
    yield Note("A peer's own program stands in the bridge's row. PostgreSQL's processor is what it took while that contender was measured.")
    slow = "{:,} to {:,}".format(*plan.slow_ramp)
    yield Note(f"{_ONE_BY_ONE} is offered {slow}/s. What counts from when a reading was due holds the generator's own lateness.")
    if node_red.version():
        yield Note(f"Node-RED {node_red.version()}. The goal beyond is 1.3 x Node-RED batched.")
    yield from absent


def _ramp(plan: Plan, name: str) -> Schedule:
    """Who is slow is offered less, or its queue would take minutes to empty."""
    return Schedule(*(plan.slow_ramp if name == _ONE_BY_ONE else plan.ramp), plan.ramp_s)


def _climb(plan: Plan, own: System, target: Target, ramp: Schedule) -> Figures:
    preload.let_roll_up(own, _ROLLED_UP_S)
    result = offer(plan, target, ramp)
    return {
        "most": sustained(result.served, ramp.seconds, least_s=min(3.0, ramp.seconds / 2)),
        "lost": float(result.lost),
        "busy": 100 * result.busy,
        **result.each_us,
    }


def _calm(plan: Plan, own: System, target: Target) -> Figures:
    preload.let_roll_up(own, _ROLLED_UP_S)
    result = offer(plan, target, steady(plan.steady_rate, plan.seconds))
    return {"p50": result.latency_ms(0.5), "p99": result.latency_ms(0.99), "late": result.late_p99_ms}


def _generator(plan: Plan, port: int, like: Target) -> float:
    """Confirmed readings a second when nobody takes them."""
    wanted = {
        "port": port,
        "accounts": [(name, "") for name, _ in like.accounts],
        "robots": list(like.robots),
        "first": 1,
        "last": 1,
        "seconds": plan.seconds,
        "closed": True,
        "window": 1000,
        "drain_s": plan.drain_s,
        "number": 0,
        "confirmed": str(plan.folder / "confirmed-alone"),
    }
    return float(child.measure("send", wanted, timeout_s=plan.seconds + 5 * plan.drain_s)["confirmed"]) / plan.seconds
