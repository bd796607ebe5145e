"""Simulated runs as labelled windows for training. Knows the simulator and the window contract; trains nothing.

A run is one world with a few robots under one seed: the session by which data are split.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from croody_contract import windows
from croody_edge.sim.robot import STEP_S
from croody_edge.sources.sim import SimSource, Site

#: Share of held-out benign windows that may exceed the threshold.
BUDGET: Final = 1e-4
FAULTS: Final = ("bearing", "wheel", "battery")
#: Which sessions serve for what. None serves twice.
SEEDS: Final = {
    "train": range(1, 33),
    "stop": range(51, 57),
    "calibrate": range(101, 149),
    "test": range(201, 249),
    "choose": range(301, 305),
    "faults": range(501, 517),
}
#: Length of a session, hours.
HOURS: Final = 1.0
#: Robots in a healthy world, in turns; and in one where something breaks.
_CROWDS: Final = (3, 8, 1, 5)
_BREAKING: Final = (3,)
#: After a fault a motor stays hot: these windows are neither benign nor faulty, seconds.
_AFTERMATH_S: Final = 150.0
#: Somebody takes a robot over by hand about this often, seconds.
_MANUAL_EVERY_S: Final = 1_500.0


@dataclass(frozen=True, slots=True)
class Track:
    """One robot of one run, window by window.

    Attributes:
        inputs: float32, shape (n, len(INPUTS)), as `windows.vector` gives.
        t_s: float64, shape (n,), when the window ended.
        since_s: float64, shape (n,), seconds since the fault began that covers the whole window; NaN without one, -1 near one.
    """

    inputs: NDArray[np.float32]
    t_s: NDArray[np.float64]
    since_s: NDArray[np.float64]

    @property
    def benign(self) -> NDArray[np.bool_]:
        """Windows without a fault near them, shape (n,)."""
        return np.isnan(self.since_s)

    @property
    def faulty(self) -> NDArray[np.bool_]:
        """Windows wholly inside a fault, shape (n,)."""
        return np.nan_to_num(self.since_s, nan=-1.0) >= 0


def simulate(seed: int, *, robots: int, duration_s: float, scenario: str) -> list[Track]:
    """Let a world run and cut its robots' readings into windows, as the agent would."""
    rng = Random(f"run:{seed}")
    site = Site(seed=seed)
    # Most agents read once a second; some a little faster or slower, and none exactly.
    interval_s = rng.choice((1.0, 1.0, 1.0, 0.95, 1.2, 1.5))
    out: list[Track] = []
    bots = [site.robot(f"train-{number}", number, scenario) for number in range(robots)]
    sources = [SimSource(bot, site, interval_s=interval_s) for bot in bots]
    collectors = [_Collector() for _ in bots]
    manual = [rng.expovariate(1 / _MANUAL_EVERY_S) if scenario == "calm" else float("inf") for _ in bots]
    now = 1_000_000.0
    end = now + duration_s
    while now < end:
        for index, source in enumerate(sources):
            reading = source.read(now)
            if reading is not None:
                fault = bots[index].wear.bearing + bots[index].wear.cell + bots[index].wear.wheel > 0
                collectors[index].add(now, reading.data, fault)
            manual[index] -= interval_s
            if manual[index] < 0:
                source.nudge(rng.choice(("UP", "DOWN", "LEFT", "RIGHT")))
                manual[index] = rng.uniform(0.3, 3.0) if rng.random() < 0.85 else rng.expovariate(1 / _MANUAL_EVERY_S)
        now += interval_s * rng.uniform(0.96, 1.04)
    out.extend(collector.track() for collector in collectors)
    return out


def many(seeds: Iterable[int], *, robots: tuple[int, ...], duration_s: float, scenario: str) -> list[Track]:
    """Runs of several seeds; the number of robots takes turns."""
    return [
        track
        for index, seed in enumerate(seeds)
        for track in simulate(seed, robots=robots[index % len(robots)], duration_s=duration_s, scenario=scenario)
    ]


def benign(part: str, share: float = 1.0) -> list[Track]:
    """The healthy sessions of one part of the split; `share` of their length, to try things out."""
    print(f"simulating {part}", flush=True)
    return many(SEEDS[part], robots=_CROWDS, duration_s=3600 * HOURS * share, scenario="calm")


def faulty(part: str, share: float = 1.0) -> dict[str, list[Track]]:
    """Sessions in which something breaks, by what breaks."""
    print(f"simulating {part}", flush=True)
    return {kind: many(SEEDS[part], robots=_BREAKING, duration_s=3600 * HOURS * share, scenario=kind) for kind in FAULTS}


class _Collector:
    def __init__(self) -> None:
        self._rows: deque[list[float]] = deque(maxlen=windows.WINDOW_ROWS)
        self._marks: deque[float] = deque(maxlen=windows.WINDOW_ROWS)
        self._before: tuple[float, dict[str, object]] | None = None
        self._fault_began: float | None = None
        self._fault_ended = float("-inf")
        self._inputs: list[list[float]] = []
        self._t: list[float] = []
        self._since: list[float] = []

    def add(self, now: float, data: dict[str, object], fault: bool) -> None:
        before, self._before = self._before, (now, data)
        if fault and self._fault_began is None:
            self._fault_began = now
        if not fault and self._fault_began is not None:
            self._fault_began, self._fault_ended = None, now
        if before is None:
            return
        row = windows.row(data, before[1], now - before[0])
        if row is None:
            raise ValueError(f"the simulator sent {data}, which makes no row")
        self._rows.append(row)
        self._marks.append(now)
        if len(self._rows) < windows.WINDOW_ROWS:
            return
        self._inputs.append(windows.vector(list(self._rows)))
        self._t.append(now)
        if self._fault_began is not None:
            self._since.append(now - self._fault_began if self._marks[0] >= self._fault_began else -1.0)
        else:
            self._since.append(float("nan") if now - self._fault_ended > _AFTERMATH_S else -1.0)

    def track(self) -> Track:
        return Track(np.asarray(self._inputs, np.float32), np.asarray(self._t), np.asarray(self._since))


if STEP_S > windows.PERIOD_S:
    raise RuntimeError(f"the simulator steps every {STEP_S} s, slower than the model's {windows.PERIOD_S} s")
