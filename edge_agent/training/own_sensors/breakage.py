"""What goes wrong with a sensor, put into a stretch of healthy rows. Pure numpy."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: Healthy rows before it, and broken ones.
WARM_ROWS: Final = 600
BROKEN_ROWS: Final = 900

Breaks = Callable[[Array, float, float, Array, np.random.Generator], Array]
"""(broken rows of one metric; range and spread while learning; rows of the same metric at another time) -> what the sensor says."""


def _spike(rows: Array, range_: float, spread: float, other: Array, rng: np.random.Generator) -> Array:
    out = rows.copy()
    for at in range(10, len(out), 60):
        out[at] += rng.choice((-1, 1)) * rng.uniform(2, 4) * range_
    return out


def _drift(rows: Array, range_: float, spread: float, other: Array, rng: np.random.Generator) -> Array:
    return np.asarray(rows + rng.choice((-1, 1)) * 4 * spread * np.minimum(1.0, np.arange(len(rows)) / (len(rows) / 2)))


def _beyond(rows: Array, range_: float, spread: float, other: Array, rng: np.random.Generator) -> Array:
    return np.asarray(rows + rng.choice((-1, 1)) * rng.uniform(2, 3) * range_ * np.minimum(1.0, np.arange(len(rows)) / 60))


FAULTS: Final[dict[str, Breaks]] = {
    "missing": lambda rows, range_, spread, other, rng: np.full(len(rows), np.nan),
    "stuck": lambda rows, range_, spread, other, rng: np.full(len(rows), rows[0]),
    "out_of_range": _beyond,
    "jump": lambda rows, range_, spread, other, rng: rows + rng.choice((-1, 1)) * rng.uniform(0.5, 1) * range_,
    "spike": _spike,
    "drift": _drift,
    "uncoupled": lambda rows, range_, spread, other, rng: other,
    "gain": lambda rows, range_, spread, other, rng: rows * 1.5,
}
