"""The console as people meet it: what a first visit of each page weighs and how long it takes, what an update costs, how late it comes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from tools import demo_day
from tools.bench import child, preload, processor
from tools.bench.browser import Browser, chromium
from tools.bench.offer import Target, offer
from tools.bench.plan import Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.schedule import steady
from tools.bench.system import System, system
from tools.words import Problem

_WATCHED: Final = 25
_READINGS: Final = 5


@dataclass(frozen=True, slots=True)
class _Page:
    """`live`: it has a stream, and so updates."""

    path: str
    live: bool = False


_PAGES: Final = (
    _Page("/console/", live=True),
    _Page("/console/map/", live=True),
    _Page("/console/robots/norte-04/", live=True),
    _Page("/console/alerts/", live=True),
    _Page("/console/handover/"),
    _Page("/console/detection/"),
    _Page("/console/delivery/"),
    _Page("/console/kpis/"),
    _Page("/console/log/"),
    _Page("/console/rules/"),
    _Page("/console/access/"),
    _Page("/console/robots/new/"),
    _Page("/console/sites/"),
    _Page("/console/system/"),
)


def run(plan: Plan) -> Iterator[Row | Note]:
    """The demo's day on SQLite, then the fleet on Mosquitto and PostgreSQL."""
    yield from _pages(plan)
    yield from _fleet(plan)


def _pages(plan: Plan) -> Iterator[Row | Note]:
    with system(plan, "amqtt", "sqlite", robots=0) as own:
        demo_day.begin(own.stack, hours=plan.day_hours)
        with chromium(demo_day.link(own.stack)) as browser:
            for page in _PAGES:
                outcome = play({OURS: partial(_visit, plan, browser, own.stack.web_url, page)}, plan.rounds)
                yield outcome.row(f"{page.path}: first visit, all that came", "kb", "kB", Goal(100))
                yield outcome.row("the same: largest paint", "paint", "ms", Goal(1500))
                if page.live:
                    yield outcome.row("the same: main thread for an update", "update", "ms", Goal(16))
    yield Note(
        "What came holds the headers of HTTP/1.1, and charts and maps. An update's time is all that the page did, shared among its updates."
    )


def _visit(plan: Plan, browser: Browser, base: str, page: _Page) -> Figures:
    view = browser.visit(base + page.path, watch_s=plan.watch_s if page.live else 0, live=page.live)
    if page.live and not view.updates:
        raise Problem(f"{page.path}: no llegó ninguna novedad.", f"{page.path}: no update came.")
    return {"kb": view.weight / 1000, "paint": view.paint_ms, "update": view.update_ms}


def _fleet(plan: Plan) -> Iterator[Row | Note]:
    with system(plan, "mosquitto", "postgres", robots=1) as own:
        own.start("broker", "telemetry", "bridge", "worker", "web")
        names = preload.robots(own, plan.console_robots)
        preload.send(own, names, _READINGS)
        preload.analyse(own.rows)
        with chromium(own.stack.login_link) as browser:
            cookie = browser.cookie
        outcome = play({OURS: partial(_watch, plan, own, names, cookie)}, plan.rounds)
    what = f"the fleet's page, {plan.viewers:,} viewers x {plan.console_robots:,} robots at 1 Hz"
    yield outcome.row(f"{what}: updates a viewer and second", "each", "")
    yield outcome.row("the same: looked to seen, p50", "p50", "ms")
    yield outcome.row("the same: looked to seen, p99", "p99", "ms", Goal(500))
    yield outcome.row("the same: processor of the web server", "cores", "cores", Goal(1))
    yield outcome.row("the same: viewers that were cut off", "cut_off", "")
    yield outcome.row("the same: processor of the program that looks", "busy", "% of a core")
    yield Note("The server looks once a second and tells everybody what changed: a reading waits up to a second more until it looks.")


def _watch(plan: Plan, own: System, names: list[str], cookie: str) -> Figures:
    wanted = {
        "port": own.stack.options.ports.web,
        "path": "/console/stream",
        "listeners": plan.viewers,
        "watched": _WATCHED,
        "event": "page",
        "cookie": cookie,
    }
    with child.beside("listen", wanted, timeout_s=120) as found:
        meter = processor.Meter({"web": own.processes()["web"]})
        result = offer(plan, Target(own.port, own.accounts, names, own.rows), steady(plan.console_robots, plan.stream_s))
        used = meter.used()["web"]
    # Nothing heard at all is later than anything.
    never = plan.stream_s
    return {
        "each": found["arrived"] / plan.viewers / found["seconds"],
        "p50": 1000 * found.get("p50_s", never),
        "p99": 1000 * found.get("p99_s", never),
        # What it took before and after the load is counted as if it were of it.
        "cores": used / result.seconds,
        "cut_off": float(found["cut_off"]),
        "busy": 100 * found["busy"],
    }
