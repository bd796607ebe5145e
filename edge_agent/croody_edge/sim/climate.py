"""The air in a site: temperature, humidity, pressure and wind as a function of place and time. Pure and without state.

Slow weather is a sum of waves whose phases come from the seed, so the same seed and time give the same air.
"""

from dataclasses import dataclass
from math import exp, hypot, pi, sin
from random import Random
from typing import Final

from croody_edge.sim.plan import Plan

#: Air at 2,550 m above the sea, as in Bogotá: 752 hPa and cool all year.
_MEAN_TEMP_C: Final = 19.0
_MEAN_HUM_PCT: Final = 62.0
_MEAN_PRES_HPA: Final = 752.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Air:
    """What a sensor without noise would read."""

    temp_c: float
    hum_pct: float
    pres_hpa: float
    wind_mps: float


class Climate:
    """Air of one site. The charging corner is warm, the top row of racks too (the sun is on that wall), the door is windy."""

    def __init__(self, plan: Plan, seed: int) -> None:
        rng = Random(f"climate:{seed}")
        self._phase = [rng.uniform(0, 2 * pi) for _ in range(6)]
        self._charging = _middle([dock.centre for dock in plan.docks])
        self._doors = [((x1 + x2) / 2, (y1 + y2) / 2) for x1, y1, x2, y2 in plan.doors]
        self._height_m = plan.height_m

    def at(self, x_m: float, y_m: float, t_s: float) -> Air:
        """Air at a spot of the plan, `t_s` seconds after the world began."""
        outside_c = 3.0 * self._wave(0, _DAY_S, t_s) + 0.4 * self._wave(1, 1_900.0, t_s)
        gust = max(0.0, 0.55 + 0.3 * self._wave(2, 47.0, t_s) + 0.3 * self._wave(3, 11.0, t_s))
        near_door = max((exp(-hypot(x_m - x, y_m - y) / 4.0) for x, y in self._doors), default=0.0)
        near_charging = exp(-hypot(x_m - self._charging[0], y_m - self._charging[1]) / 4.0)
        top = 1.0 - min(1.0, max(0.0, y_m / self._height_m))
        warmer_c = 2.6 * near_charging + 1.8 * top - 1.6 * near_door * gust
        temp_c = _MEAN_TEMP_C + outside_c + warmer_c
        return Air(
            temp_c=temp_c,
            hum_pct=min(98.0, max(15.0, _MEAN_HUM_PCT - 2.1 * (temp_c - _MEAN_TEMP_C) + 5.0 * near_door)),
            pres_hpa=_MEAN_PRES_HPA + 1.6 * self._wave(4, _DAY_S / 2, t_s) + 0.5 * self._wave(5, 5_400.0, t_s),
            wind_mps=0.08 + 4.5 * near_door * gust,
        )

    def _wave(self, index: int, period_s: float, t_s: float) -> float:
        return sin(2 * pi * t_s / period_s + self._phase[index])


def _middle(spots: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in spots) / len(spots), sum(y for _, y in spots) / len(spots)
