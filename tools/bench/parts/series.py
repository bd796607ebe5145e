"""A chart of any range, over ten million rows on PostgreSQL: whether it takes as long for three years as for a quarter of an hour."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import urlencode

from tools.bench import pages, preload
from tools.bench.plan import Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.system import System, system

_ROBOTS: Final = 100
#: Readings of each robot that come through the whole system; the older ones are their copies.
_TRAVEL: Final = 20
#: So that all readings lie within the day for which the system keeps the partitions ready, in seconds.
_REACH_S: Final = 80_000.0
_METRIC: Final = "TEMP"
_RANGES: Final = {
    "15 min": timedelta(minutes=15),
    "90 min": timedelta(minutes=90),
    "6 h": timedelta(hours=6),
    "24 h": timedelta(days=1),
    "7 days": timedelta(days=7),
    "40 days": timedelta(days=40),
    "1,000 days": timedelta(days=1000),
}


def run(plan: Plan) -> Iterator[Row | Note]:
    """`chart` over HTTP with 1,200 buckets: who may see the robot, the query and JSON are in the figure. The worker rests."""
    with system(plan, "mosquitto", "postgres", robots=1) as own:
        own.start("broker", "telemetry", "bridge")
        names = preload.robots(own, min(_ROBOTS, plan.live_robots))
        each = plan.series_rows // len(names)
        preload.history(own, names, plan.series_rows, newest=min(_TRAVEL, each), spacing_s=_REACH_S / each)
        preload.rolled(own.rows, names[0], _METRIC, days=plan.series_days)
        preload.analyse(own.rows)
        what = f"{len(names):,} robots, {plan.series_rows:,} rows"
        for title, span in _RANGES.items():
            contenders = {OURS: partial(_asked, own, plan, names[0], span)}
            yield play(contenders, plan.rounds).row(f"a chart of {title}, {what}", "ms", "ms", Goal(150))
    yield Note(
        f"Minutes and hours of {plan.series_days:,} days of one robot are written by SQL, in the form in which the worker writes them."
    )


def _asked(own: System, plan: Plan, robot_id: str, span: timedelta) -> Figures:
    end = datetime.now(UTC)
    asked = {"robot_id": robot_id, "metric": _METRIC, "start": (end - span).isoformat(), "end": end.isoformat(), "buckets": 1200}
    return {"ms": pages.ask(own.stack.options.ports.telemetry, f"/api/telemetry/chart?{urlencode(asked)}", plan.requests).ms}
