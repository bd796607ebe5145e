"""What one robot of the day measures, reading after reading. Pure: the same seed gives the same life; knows no clock and no database."""

from collections.abc import Collection
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, pi, radians, sin
from random import Random
from typing import Any, Final

from croody.operations.day import cast
from croody.operations.day.cast import Member, Place

#: Seconds between readings; of the last minutes, in which a trail is drawn, fewer.
INTERVAL_S: Final = 30.0
CLOSE_S: Final = 5.0
_M_PER_DEGREE: Final = 111_320.0
#: Lanes of the warehouse that run along its racks, in metres from its north wall.
_LANES_M: Final = (1.8, 17.5, 34.0)
_LOW_PCT, _FULL_PCT, _EMPTY_PCT = 24.0, 95.0, 4.0
#: So far from its middle tractors drive on the yard, in metres.
_YARD_M: Final = 220.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading. `lat` and `lng` are None for what does not move."""

    data: dict[str, Any]
    status: str
    lat: float | None
    lng: float | None


class Life:
    """A robot from the beginning of its day on; `step` lets time pass."""

    def __init__(self, member: Member, place: Place | None, seed: int) -> None:
        self._member, self._place = member, place
        self._random = Random(f"{seed}:{member.robot_id}")
        self._battery_pct = self._random.uniform(35, 95)
        self._motor_c = 36.0
        self._x_m, self._y_m = self._somewhere()
        self._heading_deg = 0.0
        self._way: list[tuple[float, float]] = []
        self._charging = False
        self._waits_s = 0.0
        self._passed_s = INTERVAL_S
        self._cycle = self._random.randrange(1000)

    def step(self, hour: float, under: Collection[str] = (), *, passed_s: float = INTERVAL_S) -> Moment:
        """One reading later. `hour`: of the day, 0..24; `under`: what befalls the robot now (`hot`, `no_dock`, `blocked`)."""
        self._passed_s = passed_s
        air_c = 17.0 + 5.0 * sin((hour - 9.0) * pi / 12.0)
        if self._member.gait == "still":
            return self._machine(air_c) if self._member.kind == "host" else self._arm(air_c, under)
        speed_mps = self._move(under)
        load = 0.25 if speed_mps == 0 else 1.0
        target_c = 94.0 if "hot" in under else air_c + 8.0 + 26.0 * load
        self._motor_c += (target_c - self._motor_c) * (1 - 0.94 ** (passed_s / INTERVAL_S)) + self._random.gauss(0, 0.25)
        self._drain(speed_mps, under)
        data: dict[str, Any] = {
            "battery_pct": round(self._battery_pct, 1),
            "speed_mps": round(speed_mps, 2),
            "motor_temp_c": round(self._motor_c, 1),
            "motor_current_a": round(0.6 + 3.1 * load * (speed_mps > 0) + abs(self._random.gauss(0, 0.12)), 2),
            "TEMP": round(air_c + self._random.gauss(0, 0.15), 1),
        }
        if self._member.robot_id == cast.LONG_ID:
            data |= {name: _shaken(value, self._random) for name, value in cast.ODD.items()}
        status = "blocked" if "blocked" in under else "charging" if self._charging else "moving" if speed_mps > 0 else "idle"
        if self._member.gait == "plan":
            data |= {"x_m": round(self._x_m, 2), "y_m": round(self._y_m, 2), "heading_deg": round(self._heading_deg, 0)}
        return Moment(data, status, *self._globe())

    def _move(self, under: Collection[str]) -> float:
        """Go on towards where it is bound for; the mean speed of this interval, in m/s."""
        if "blocked" in under:
            return 0.0
        if self._charging:
            self._charging = self._battery_pct < _FULL_PCT
            return 0.0
        if self._waits_s > 0:
            self._waits_s -= self._passed_s
            return 0.0
        if not self._way:
            self._way = self._next_way(under)
        left_m, gone_m = self._random.uniform(0.5, 1.1) * self._passed_s, 0.0
        while self._way and left_m > 0:
            to_x, to_y = self._way[0]
            ahead_m = hypot(to_x - self._x_m, to_y - self._y_m)
            if ahead_m > 0.01:
                self._heading_deg = degrees(atan2(to_x - self._x_m, self._y_m - to_y)) % 360.0
            part = min(1.0, left_m / ahead_m) if ahead_m > 0 else 1.0
            self._x_m += (to_x - self._x_m) * part
            self._y_m += (to_y - self._y_m) * part
            gone_m += ahead_m * part
            left_m -= max(ahead_m * part, 0.01)
            if part == 1.0:
                self._way.pop(0)
        if not self._way:
            self._arrive(under)
        return gone_m / self._passed_s

    def _arrive(self, under: Collection[str]) -> None:
        self._charging = self._wants_dock(under) and "no_dock" not in under
        self._waits_s = 0.0 if self._charging else self._random.uniform(0, 75)

    def _wants_dock(self, under: Collection[str]) -> bool:
        return self._battery_pct < _LOW_PCT

    def _next_way(self, under: Collection[str]) -> list[tuple[float, float]]:
        dock = self._wants_dock(under) and "no_dock" not in under
        if self._member.gait == "map":
            turn = self._random.uniform(0, 2 * pi)
            far_m = 0.0 if dock else self._random.uniform(30, _YARD_M)
            return [(far_m * sin(turn), far_m * cos(turn))]
        to_x, to_y = (2.3, 4.1 + 3.0 * self._random.randrange(10)) if dock else self._somewhere()
        lane_m = min(_LANES_M, key=lambda y_m: abs(y_m - self._y_m) + abs(y_m - to_y))
        return [(self._x_m, lane_m), (to_x, lane_m), (to_x, to_y)]

    def _somewhere(self) -> tuple[float, float]:
        """A place between two racks, or in the yard."""
        if self._member.gait == "map":
            return self._random.uniform(-_YARD_M, _YARD_M) / 2, self._random.uniform(-_YARD_M, _YARD_M) / 2
        aisle = self._random.randrange(cast.ROWS)
        return round(7.6 + 5.4 * aisle + self._random.uniform(-0.5, 0.5), 2), round(self._random.uniform(4, 32), 2)

    def _drain(self, speed_mps: float, under: Collection[str]) -> None:
        if self._charging:
            self._battery_pct = min(100.0, self._battery_pct + 0.75 * self._passed_s / INTERVAL_S)
            return
        used = 0.16 if speed_mps > 0 else 0.05
        least = 9.0 if "no_dock" in under else _EMPTY_PCT
        self._battery_pct = max(least, self._battery_pct - used * self._random.uniform(0.8, 1.2) * self._passed_s / INTERVAL_S)

    def _globe(self) -> tuple[float | None, float | None]:
        if self._place is None:
            return None, None
        # On a plan y grows to the south.
        lat = self._place.lat - self._y_m / _M_PER_DEGREE
        return round(lat, 7), round(self._place.lng + self._x_m / (_M_PER_DEGREE * cos(radians(self._place.lat))), 7)

    def _arm(self, air_c: float, under: Collection[str]) -> Moment:
        stopped = "blocked" in under
        self._cycle += 0 if stopped else self._random.randrange(2, 5)
        warm = 0.0 if stopped else 1.0
        data: dict[str, Any] = {"cycle": self._cycle, "tool_current_a": round(warm * abs(self._random.gauss(1.4, 0.3)), 2)}
        data |= {f"joint{n}_temp_c": round(air_c + 9 + 2 * n * warm + self._random.gauss(0, 0.3), 1) for n in range(3)}
        return Moment(data | {"protective_stop": stopped}, "blocked" if stopped else "working", None, None)

    def _machine(self, air_c: float) -> Moment:
        draw = self._random
        data: dict[str, Any] = {
            "cpu_pct": round(min(100.0, abs(draw.gauss(22, 9))), 1),
            "mem_used_pct": round(61 + draw.gauss(0, 1.2), 1),
            "disk_used_pct": round(83.4 + self._cycle % 7 / 10, 1),
            "temp_c": round(air_c + 24 + draw.gauss(0, 0.6), 1),
        }
        return Moment(data, "working", None, None)


def _shaken(value: float | int | bool | str, draw: Random) -> float | int | bool | str:
    return round(value * draw.uniform(0.97, 1.03), 3) if isinstance(value, float) else value
