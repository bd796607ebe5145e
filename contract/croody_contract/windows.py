"""Windows over a robot's own sensors: which metrics, in which order and scale. Pure; edge, cloud and training share it.

readings -> `row` -> WINDOW_ROWS of them, one every PERIOD_S: a window, raw units -> `vector`: what the model reads.
A model's card repeats FEATURES and INPUTS; where they differ from these, model and code were built apart and the model is refused.
"""

from collections.abc import Mapping, Sequence
from itertools import compress, pairwise
from math import isfinite, sqrt
from typing import Any, Final

#: Columns of a window, raw units. `battery_slope_pct_s` is the change of `battery_pct` since the row before, per second.
FEATURES: Final = ("motor_temp_c", "motor_current_a", "speed_mps", "battery_slope_pct_s", "TEMP")
#: Metrics that a reading must carry for `row`.
METRICS: Final = ("motor_temp_c", "motor_current_a", "speed_mps", "battery_pct", "TEMP")
WINDOW_ROWS: Final = 16
PERIOD_S: Final = 1.0
#: Consecutive rows further apart than this do not belong to one window, seconds.
LONGEST_GAP_S: Final = 1.7

#: From this speed on a row counts as moving.
_MOVING_MPS: Final = 0.1
#: A mean over fewer rows than this is chance.
_FEWEST_ROWS: Final = 3
#: Name, centre and span of every model input, in order: input = (value - centre) / span, cut to +-LIMIT. Where a window has too few
#: rows to take a value from (a robot that stands has no current while moving), the input is 0.
_SCALING: Final[tuple[tuple[str, float, float], ...]] = (
    ("current_moving_a", 2.6, 0.8),
    ("current_still_a", 0.6, 0.6),
    ("current_spread_a", 0.8, 0.5),
    ("current_peak_a", 2.8, 1.2),
    ("current_square_a2", 4.0, 3.0),
    ("speed_moving_mps", 0.9, 0.25),
    ("moving_share", 0.6, 0.4),
    ("speed_spread_mps", 0.35, 0.2),
    ("accel_mps2", 0.1, 0.08),
    ("current_draining_a", 1.6, 0.8),
    ("drain_pct_s", -0.036, 0.015),
    ("motor_over_air_k", 18.0, 10.0),
    ("motor_temp_slope_c_s", 0.0, 0.12),
    ("air_c", 20.0, 4.0),
)
INPUTS: Final = tuple(name for name, _, _ in _SCALING)
LIMIT: Final = 4.0


def row(data: Mapping[str, Any], before: Mapping[str, Any], elapsed_s: float) -> list[float] | None:
    """One row of a window from a reading's `data` and the one before it, `elapsed_s` earlier; None when a metric is absent."""
    if elapsed_s <= 0:
        return None
    values: list[float] = []
    for name in METRICS:
        value = data.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            return None
        values.append(float(value))
    last_pct = before.get("battery_pct")
    if isinstance(last_pct, bool) or not isinstance(last_pct, int | float):
        return None
    values[3] = (values[3] - last_pct) / elapsed_s
    return values


def between(before: Sequence[float], after: Sequence[float], steps: int) -> list[list[float]]:
    """Rows on a straight line from one row to the one `steps` periods later: `steps` - 1 of them."""
    return [[a + (b - a) * step / steps for a, b in zip(before, after, strict=True)] for step in range(1, steps)]


def vector(window: Sequence[Sequence[float]]) -> list[float]:
    """What the model reads of a window: how it drove, what that drew, and what it did to motor and battery. Length len(INPUTS).

    Args:
        window: shape (WINDOW_ROWS, len(FEATURES)), oldest row first, raw units.

    Raises:
        ValueError: another shape. The window's maker and this module were built apart; no retry can help.
    """
    if len(window) != WINDOW_ROWS or any(len(values) != len(FEATURES) for values in window):
        widths = sorted({len(values) for values in window})
        raise ValueError(f"window of shape ({len(window)}, {widths}): expected ({WINDOW_ROWS}, {len(FEATURES)})")
    temp, current, speed, slope, air = (list(column) for column in zip(*window, strict=True))
    moving = [value > _MOVING_MPS for value in speed]
    charging = [value > 0 for value in slope]
    # A row in which charging began or ended is neither.
    draining = [not any(charging[max(0, index - 1) : index + 2]) for index in range(WINDOW_ROWS)]
    air_c = _mean(air)
    raw = (
        _mean_where(current, moving),
        _mean_where(current, [not one for one in moving]),
        _spread(current),
        max(current),
        _mean([value * value for value in current]),
        _mean_where(speed, moving),
        sum(moving) / WINDOW_ROWS,
        _spread(speed),
        sum(max(0.0, after - before) for before, after in pairwise(speed)) / (WINDOW_ROWS - 1) / PERIOD_S,
        _mean_where(current, draining),
        _mean_where(slope, draining),
        _mean(temp) - air_c,
        _trend(temp) / PERIOD_S,
        air_c,
    )
    return [
        0.0 if value is None else min(LIMIT, max(-LIMIT, (value - centre) / span))
        for value, (_, centre, span) in zip(raw, _SCALING, strict=True)
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _mean_where(values: Sequence[float], wanted: Sequence[bool]) -> float | None:
    chosen = list(compress(values, wanted))
    return _mean(chosen) if len(chosen) >= _FEWEST_ROWS else None


def _spread(values: Sequence[float]) -> float:
    mean = _mean(values)
    return sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _trend(values: Sequence[float]) -> float:
    """Slope of the line of least squares, units a row."""
    middle = (WINDOW_ROWS - 1) / 2
    weight = WINDOW_ROWS * (WINDOW_ROWS**2 - 1) / 12
    return sum((index - middle) * value for index, value in enumerate(values)) / weight
