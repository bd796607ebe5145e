"""How slow the slow mean of a metric is, by which drift is judged. Pure."""

from math import exp
from typing import Final

#: Time constant of the slow mean, seconds; at least so many rows.
SLOW_S: Final = 300.0
_LEAST_ROWS: Final = 20


def decay(interval_s: float) -> float:
    """Share of the way that the slow mean goes to each new value."""
    return 1 - exp(-min(interval_s / SLOW_S, 1 / _LEAST_ROWS))
