"""What is usual for one robot, and how far a window lies from it. Pure numpy; knows neither models nor the database.

A robot does several things (it drives, waits, charges), so one average cannot say what is usual: a window is compared with the
most similar of the robot's own cleared windows, on scales that a few odd ones among them cannot move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Of each sensor in a window: its mean, its spread (standard deviation), and last quarter minus first quarter.
STATISTICS: Final = ("mean", "spread", "drift")
#: Fewer cleared windows than this cannot say whether one more is unusual; more than `MOST` are not kept.
LEAST: Final = 20
#: So many can say which sensor is farthest from what they saw.
LEAST_TO_NAME: Final = 5
MOST: Final = 200
#: No sensor's value is larger; of larger ones neither squares nor sums could be told.
LARGEST: Final = 1e100
#: A window is compared with its so many most similar ones.
NEIGHBOURS: Final = 3
#: No single statistic counts for more than this many scales: one broken sensor shall not hide the others.
_FARTHEST: Final = 10.0

Summary = list[list[float]]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`deviation`: 1 is as far as the loneliest twentieth of the usual windows are from each other. `drivers`: share of each sensor."""

    deviation: float
    drivers: dict[str, float]


def summarise(features: Sequence[Sequence[float]]) -> Summary:
    """A window of shape (T, sensors) -> (sensors, len(STATISTICS)).

    Raises:
        ValueError: no rows or no sensors, or values so large that nothing can be told of them.
    """
    window = np.asarray(features, dtype=np.float64)
    if window.ndim != 2 or 0 in window.shape:
        raise ValueError(f"window of shape {window.shape}: needs at least one row and one sensor")
    if not np.all(np.abs(window) <= LARGEST):
        raise ValueError(f"window: a value is beyond {LARGEST:g}: no sensor measures that, and nothing can be compared with it")
    quarter = max(1, len(window) // 4)
    drift = window[-quarter:].mean(axis=0) - window[:quarter].mean(axis=0)
    summary: Summary = np.stack([window.mean(axis=0), window.std(axis=0), drift], axis=1).tolist()
    return summary


@dataclass(frozen=True, slots=True)
class Known:
    """Usual windows made ready to compare with: prepared once, asked often."""

    windows: Array
    scale: Array
    #: Distance that nineteen of twenty usual windows keep to their neighbours.
    lonely: float


def prepare(summaries: Sequence[Summary]) -> Known:
    """Make the usual ready.

    Raises:
        ValueError: fewer than `LEAST_TO_NAME` windows.
    """
    if len(summaries) < LEAST_TO_NAME:
        raise ValueError(f"{len(summaries)} usual windows: at least {LEAST_TO_NAME} are needed")
    windows = np.asarray(summaries, dtype=np.float64)
    scale = _local_scale(windows)
    distance = np.sort(_distances(windows, scale), axis=1)[:, :NEIGHBOURS].mean(axis=1)
    return Known(windows, scale, max(float(np.sqrt(np.quantile(distance, 0.95))), 1e-9))


def compare(summary: Summary, known: Known, names: Sequence[str]) -> Comparison:
    """How far a window is from the usual ones, and how much of that is each sensor's.

    Raises:
        ValueError: other sensors than the usual windows have.
    """
    one = np.asarray(summary, dtype=np.float64)
    if known.windows.shape[1:] != one.shape or len(names) != len(summary):
        raise ValueError(f"usual windows of shape {known.windows.shape[1:]}, a window of shape {one.shape}, {len(names)} names")
    steps = np.minimum(np.abs(known.windows - one) / known.scale, _FARTHEST) ** 2
    nearest = np.argsort(steps.sum(axis=(1, 2)), kind="stable")[:NEIGHBOURS]
    of_sensor = steps[nearest].mean(axis=0).sum(axis=1)
    total = max(float(of_sensor.sum()), 1e-12)
    deviation = float(np.sqrt(of_sensor.sum())) / known.lonely
    return Comparison(deviation, {name: float(part / total) for name, part in zip(names, of_sensor, strict=True)})


def _local_scale(known: Array) -> Array:
    """How much each statistic differs between a usual window and the most similar other ones, shape (sensors, statistics).

    The spread over everything a robot does would be far too wide: between driving and waiting there is room to hide in.
    Never less than a twentieth of that spread, so that a statistic which hardly moves makes no anomaly of its noise.
    """
    wide = _scale(known)
    neighbours = _neighbours(known, wide)
    steps = np.abs(known[:, None] - known[neighbours])
    return np.asarray(np.maximum(1.4826 * np.median(steps, axis=(0, 1)), wide / 20), dtype=np.float64)


def _neighbours(known: Array, scale: Array) -> NDArray[np.int64]:
    """Indices of each window's most similar other ones, shape (n, NEIGHBOURS)."""
    return np.argsort(_distances(known, scale), axis=1, kind="stable")[:, :NEIGHBOURS]


def _distances(known: Array, scale: Array) -> Array:
    """Squared distances between all windows, shape (n, n); infinite to itself."""
    flat = (known / scale).reshape(len(known), -1)
    distance = np.asarray((np.minimum(np.abs(flat[:, None, :] - flat[None, :, :]), _FARTHEST) ** 2).sum(axis=2), dtype=np.float64)
    np.fill_diagonal(distance, np.inf)
    return distance


def _scale(known: Array) -> Array:
    """A robust standard deviation of every statistic: from the median deviation or, where half of all are alike, the middle 80 %.

    A statistic that never moves gets 1 % of its size, so that rounding is no anomaly.
    """
    middle = np.median(known, axis=0)
    from_median = 1.4826 * np.median(np.abs(known - middle), axis=0)
    low, high = np.quantile(known, [0.1, 0.9], axis=0)
    size = np.abs(known[:, :, :1]).max(axis=0)
    return np.asarray(
        np.maximum.reduce([from_median, (high - low) / 2.563, np.broadcast_to(0.01 * size, middle.shape), np.full(middle.shape, 1e-6)])
    )
