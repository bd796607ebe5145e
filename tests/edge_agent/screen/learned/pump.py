"""A robot that is not our simulator's: a pump that works and rests. What its sensors say follows from the second and a seed."""

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from croody_contract.profiles import Profile
from croody_edge.screen.learned.learn import Seen, learn

NAMES = ["flow_lpm", "pressure_bar", "current_a", "casing_c", "litres"]
MADE = datetime(2026, 12, 1, 6, tzinfo=UTC)


@lru_cache(maxsize=4)
def rows(count: int, seed: int = 1) -> tuple[list[str], np.ndarray]:
    """Modes, and values of shape (count, metrics)."""
    rng = np.random.default_rng(seed)
    second = np.arange(count)
    works = second % 300 < 200
    flow = np.where(works, 40 + 8 * np.sin(second / 17), 0.0) + rng.normal(0, 0.3, count) * works
    current = 0.4 + 0.11 * flow + rng.normal(0, 0.05, count)
    pressure = np.where(works, 1 + 0.05 * flow, 0.9) + rng.normal(0, 0.02, count)
    casing = 30 + 4 * np.sin(second / 90) + rng.normal(0, 0.1, count)
    values = np.stack([flow, pressure, current, casing, np.cumsum(flow) / 60], axis=1)
    return ["working" if one else "resting" for one in works], np.round(values, 2)


def seen(count: int = 3600, seed: int = 1) -> Seen:
    """The same as rows to learn from."""
    modes, values = rows(count, seed)
    return Seen(NAMES, np.arange(count, dtype=float), modes, values, np.zeros(count, dtype=bool))


@lru_cache(maxsize=1)
def profile() -> Profile:
    """What an hour of it teaches."""
    return learn(seen(), MADE)
