"""Many people who watch at once: does every reading reach every one of them, and how late?"""

from collections.abc import Iterator
from functools import partial

from tools.bench import child
from tools.bench.offer import Target, offer
from tools.bench.plan import Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.schedule import steady
from tools.bench.system import System, system

_WATCHED = 25
#: Whose processor is accounted for beside the web server's, and what the table calls them.
_PROCESSES = {"broker": "broker", "bridge": "bridge", "telemetry": "telemetry API", "worker": "worker"}


def run(plan: Plan) -> Iterator[Row | Note]:
    """On amqtt and SQLite, as `make up` runs it."""
    with system(plan, "amqtt", "sqlite", robots=plan.stream_robots) as own:
        own.start("broker", "telemetry", "bridge", "worker", "web")
        outcome = play({OURS: partial(_once, plan, own)}, plan.rounds)
    what = f"stream, {plan.listeners:,} listeners x {plan.stream_robots} robots at 1 Hz"
    yield outcome.row(f"{what}: arrived of what was due", "share", "", Goal(1.0, most=False))
    yield outcome.row("the same: due to heard, p50", "p50", "ms")
    yield outcome.row("the same: due to heard, p99", "p99", "ms", Goal(500))
    yield outcome.row("the same: due to committed, p99", "stored", "ms")
    yield outcome.row("the same: listeners that were cut off", "cut_off", "")
    yield outcome.row("the same: processor of the program that listens", "busy", "% of a core")
    yield outcome.row("the same: processor of the web server, each event that one listener gets", "web", "us")
    yield outcome.row("the same: processor of the web server, each reading", "web_reading", "us")
    for name, called in _PROCESSES.items():
        yield outcome.row(f"the same: processor of the {called}, each reading", name, "us")
    yield Note(f"Every listener counts; {_WATCHED} of them read times. Near 100 % of a core, it is the listening program that is measured.")


def _once(plan: Plan, own: System) -> Figures:
    wanted = {"port": own.stack.options.ports.web, "path": "/api/telemetry/stream", "listeners": plan.listeners, "watched": _WATCHED}
    with child.beside("listen", wanted, timeout_s=120) as found:
        result = offer(plan, Target.of(own), steady(plan.stream_robots, plan.stream_s))
    due = plan.listeners * result.stored
    each = result.each_us
    # Nothing heard at all is later than anything.
    never = plan.stream_s
    return {
        "share": found["arrived"] / due if due else 0.0,
        "p50": 1000 * found.get("p50_s", never),
        "p99": 1000 * found.get("p99_s", never),
        "stored": result.latency_ms(0.99),
        "busy": 100 * found["busy"],
        "cut_off": float(found["cut_off"]),
        "web": each["web"] * result.stored / max(1, found["arrived"]),
        "web_reading": each["web"],
        **{name: each[name] for name in _PROCESSES},
    }
