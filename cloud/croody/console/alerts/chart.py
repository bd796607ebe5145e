"""The lines of a small chart, drawn by the server: it needs no script and prints. Pure: numbers to points of an SVG.

A hole is a hole: a line ends where nothing came. One axis of time for all lines of an alarm; each has its own of values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

WIDTH: Final = 600
HEIGHT: Final = 72
#: A bucket without a reading is no hole until so many follow each other, times what is usual between two readings.
_HOLE: Final = 2.5


@dataclass(frozen=True, slots=True)
class Drawn:
    """`paths`: one `d` a piece without a hole; `dots`: readings that stand alone; `holes`: where each begins and how wide it is.

    `low`, `high`: values at the bottom and the top.
    """

    paths: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    holes: tuple[tuple[float, float], ...]
    low: float
    high: float


def draw(values: Sequence[float | None]) -> Drawn | None:
    """A line over the whole width; None when there is no value."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if not known:
        return None
    low, high = min(value for _place, value in known), max(value for _place, value in known)
    span = high - low or abs(high) or 1.0
    low, high = low - span * 0.08, high + span * 0.08
    step = WIDTH / max(1, len(values) - 1)
    points = [(place, (round(place * step, 1), round(HEIGHT * (1 - (value - low) / (high - low)), 1))) for place, value in known]
    hole = _hole(known)
    parts = _parts(points, hole)
    paths = tuple("M" + "L".join(f"{x:g} {y:g}" for x, y in part) for part in parts if len(part) > 1)
    return Drawn(paths, tuple(part[0] for part in parts if len(part) == 1), _holes(parts, hole * step), low, high)


def across(at: Sequence[int], moment: float) -> float | None:
    """Where a moment (unix seconds) stands on the axis; None beside it."""
    if len(at) < 2 or not at[0] <= moment <= at[-1]:
        return None
    return round(WIDTH * (moment - at[0]) / (at[-1] - at[0]), 1)


def _holes(parts: Sequence[Sequence[tuple[float, float]]], least: float) -> tuple[tuple[float, float], ...]:
    """Between the pieces, and before the first and after the last one where that is as wide as a hole."""
    ends = [0.0, *(part[-1][0] for part in parts)]
    begins = [*(part[0][0] for part in parts), float(WIDTH)]
    return tuple((end, round(begin - end, 1)) for end, begin in zip(ends, begins, strict=True) if begin - end > least)


def _hole(known: Sequence[tuple[int, float]]) -> float:
    """How many buckets apart two readings are no longer neighbours."""
    apart = sorted(after[0] - before[0] for before, after in pairwise(known))
    usual = apart[len(apart) // 2] if apart else 1
    return max(1.5, _HOLE * usual)


def _parts(points: Sequence[tuple[int, tuple[float, float]]], hole: float) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = []
    before: int | None = None
    for place, point in points:
        if before is None or place - before > hole:
            parts.append([])
        parts[-1].append(point)
        before = place
    return parts
