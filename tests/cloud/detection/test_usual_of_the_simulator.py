"""The robots' usual on windows of the simulated robots: what is ordinary passes, what breaks does not. No edge model is asked."""

import random
from collections import deque

import numpy as np
import pytest

from croody.detection.windows import baseline, suspicion
from croody_contract import windows
from croody_edge.sources.sim import SimSource, Site

pytestmark = pytest.mark.slow
Marked = tuple[baseline.Summary, bool]


def run(seed: int, scenario: str, *, robots: int, duration_s: float) -> list[list[Marked]]:
    """Of each robot every seventh window, and whether something was broken at its end."""
    site = Site(seed=seed)
    bots = [site.robot(f"robot-{number}", number, scenario) for number in range(robots)]
    # One after the other would leave the world empty: they meet, wait and charge as they do together.
    sources = [SimSource(bot, site, interval_s=1.0) for bot in bots]
    rows: list[deque[list[float]]] = [deque(maxlen=windows.WINDOW_ROWS) for _ in bots]
    before: list[dict[str, object]] = [{} for _ in bots]
    out: list[list[Marked]] = [[] for _ in bots]
    for second in range(int(duration_s)):
        for index, source in enumerate(sources):
            reading = source.read(1_000_000.0 + second)
            assert reading is not None
            row = windows.row(reading.data, before[index], 1.0)
            before[index] = dict(reading.data)
            if row is not None:
                rows[index].append(row)
            if len(rows[index]) == windows.WINDOW_ROWS and second % 7 == 0:
                wear = bots[index].wear
                out[index].append((baseline.summarise(list(rows[index])), wear.bearing + wear.cell + wear.wheel > 0))
    return out


@pytest.fixture(scope="module")
def calm() -> list[list[Marked]]:
    return run(901, "calm", robots=3, duration_s=5400)


def known_and_rest(track: list[Marked], count: int) -> tuple[baseline.Known, list[baseline.Summary]]:
    """`count` windows of a robot as the random sample brings them, and the others."""
    shuffled = [summary for summary, _ in track]
    random.Random(1).shuffle(shuffled)
    return baseline.prepare(shuffled[:count]), shuffled[count:]


@pytest.mark.parametrize(("count", "most"), [(20, 0.05), (100, 0.04), (200, 0.04)])
def test_ordinary_windows_pass(calm: list[list[Marked]], count: int, most: float):
    beyond = []
    for track in calm:
        known, rest = known_and_rest(track, count)
        beyond += [baseline.compare(summary, known, windows.FEATURES).deviation > suspicion.UNUSUAL for summary in rest[:300]]
    print(f"{count} known: {np.mean(beyond):.4f} of {len(beyond)} beyond {suspicion.UNUSUAL}")
    assert np.mean(beyond) <= most


@pytest.mark.parametrize(("fault", "least"), [("bearing", 0.6), ("wheel", 0.8), ("battery", 0.6)])
def test_windows_of_a_broken_robot_do_not(calm: list[list[Marked]], fault: str, least: float):
    broken = [summary for track in run(902, fault, robots=3, duration_s=1300) for summary, faulty in track if faulty]
    known, _ = known_and_rest(calm[0], 100)
    beyond = [baseline.compare(summary, known, windows.FEATURES).deviation > suspicion.UNUSUAL for summary in broken]
    print(f"{fault}: {np.mean(beyond):.3f} of {len(beyond)}")
    assert np.mean(beyond) >= least
