"""How much of everything: the sizes of a run, whole or quick. Values only."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROBOTS: Final = 100
#: Connections of the load generator, each with an account of its own.
SENDERS: Final = 10
#: Records of each robot in one batch.
BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole run on two quiet cores takes about 25 minutes; `QUICK` proves that each part works, and measures nothing.

    Attributes:
        folder: scratch, gone at the end.
        rounds: how often each contender is measured.
        seconds: how long one measurement of throughput lasts.
        drain_s: longest wait for what was confirmed and is not stored yet.
    """

    folder: Path
    rounds: int = 3
    seconds: float = 6
    drain_s: float = 30
    #: `backlog`: rows that wait for the roll-up, and what is offered meanwhile, a second.
    backlog_rows: int = 500_000
    backlog_rate: int = 5_000
    backlog_s: float = 15
    #: `ceiling`: the offer rises from the first to the second, a second; for who inserts one by one, more slowly. Who keeps up to its
    #: end has no ceiling there, so the end lies well above what anybody reaches.
    ramp: tuple[int, int] = (2_000, 40_000)
    slow_ramp: tuple[int, int] = (200, 6_000)
    ramp_s: float = 15
    steady_rate: int = 1_000
    #: `live`: robots and rows.
    live_robots: int = 1_000
    live_rows: int = 5_000_000
    #: `series`: rows, and days of roll-ups of one robot.
    series_rows: int = 10_000_000
    series_days: int = 1_000
    #: `starts`: robots, and how often each has started.
    starts: tuple[int, int] = (20, 1_000)
    starts_robots: int = 50
    #: `monitor`: robots on the page.
    monitor: tuple[int, int] = (1_000, 10_000)
    #: `stream`: listeners, robots at one reading a second, seconds.
    listeners: int = 1_000
    stream_robots: int = 200
    stream_s: float = 15
    #: `console`: viewers, robots at one reading a second; hours of the demo's day; how long each of its pages is watched, in seconds.
    viewers: int = 200
    console_robots: int = 1_000
    day_hours: float = 24
    watch_s: float = 10
    #: Requests of one page or query in a round.
    requests: int = 10
    #: `agent`: how long an idle process is watched.
    idle_s: float = 20


def whole(folder: Path) -> Plan:
    """What the page shows."""
    return Plan(folder)


def quick(folder: Path) -> Plan:
    """Seconds a part."""
    return Plan(
        folder,
        rounds=1,
        seconds=2,
        drain_s=15,
        backlog_rows=10_000,
        backlog_rate=500,
        backlog_s=3,
        ramp=(200, 2_000),
        slow_ramp=(200, 1_000),
        ramp_s=4,
        steady_rate=200,
        live_robots=50,
        live_rows=10_000,
        series_rows=10_000,
        series_days=3,
        starts=(2, 20),
        starts_robots=5,
        monitor=(20, 100),
        listeners=20,
        stream_robots=10,
        stream_s=3,
        viewers=10,
        console_robots=20,
        day_hours=1,
        watch_s=3,
        requests=3,
        idle_s=3,
    )
