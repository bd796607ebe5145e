"""One virtual robot: errands between racks, door and docks, driven step by step. Knows its world and no clock, thread or network.

The same seed, number and steps give the same life. Behaviour and sensor noise draw from separate generators, so how often somebody
looks at a robot does not change where it goes.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import atan2, degrees, hypot, sqrt
from random import Random
from typing import Final

from croody_edge.sim import drive, faults
from croody_edge.sim.climate import Climate
from croody_edge.sim.route import Routes, Spot
from croody_edge.sim.world import World

#: One step of the simulation, seconds.
STEP_S: Final = 0.2
#: What one MOVE of the TCP protocol covers, metres.
NUDGE_M: Final = 0.5
_SPEED_MPS: Final = 1.2
_ACCEL_MPS2: Final = 0.8
_TURN_DEG_S: Final = 120.0
_LOW_PCT: Final = 28.0
_FULL_PCT: Final = 96.0
#: Below this a robot does no more errands and waits for a dock.
_MUST_WAIT_PCT: Final = 14.0
_MANUAL_S: Final = 30.0
#: How fast a robot that was moved by hand comes to a stand.
_COAST_MPS2: Final = 0.32
_DIRECTIONS: Final[dict[str, tuple[int, int]]] = {"UP": (0, -1), "DOWN": (0, 1), "LEFT": (-1, 0), "RIGHT": (1, 0)}


class Doing(StrEnum):
    """What a robot is at."""

    DRIVING = "driving"
    WORKING = "working"
    CHARGING = "charging"
    WAITING = "waiting"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Sensed:
    """One look at a robot through its sensors, with their noise. Units as in the names; `heading_deg` clockwise from north."""

    temp_c: float
    hum_pct: float
    pres_hpa: float
    wind_mps: float
    x_m: float
    y_m: float
    lat: float
    lng: float
    alt_m: float
    heading_deg: float
    speed_mps: float
    battery_pct: float
    motor_temp_c: float
    motor_current_a: float
    status: str


class Robot:
    """A robot of `world`. Call `step` to let `STEP_S` pass."""

    def __init__(
        self, robot_id: str, number: int, world: World, routes: Routes, climate: Climate, *, seed: int, scenario: str = "default"
    ) -> None:
        self.robot_id = robot_id
        self._world, self._routes, self._climate = world, routes, climate
        self._rng = Random(f"robot:{seed}:{number}")
        self._noise = Random(f"noise:{seed}:{number}")
        self._faults = faults.schedule(scenario, number, seed)
        self._fault = next(self._faults, None)
        self._lane = (self._rng.uniform(-0.35, 0.35), self._rng.uniform(-0.35, 0.35))
        self.t_s = 0.0
        self.speed_mps = 0.0
        self.load_kg = 0.0
        somewhere = self._errand()
        self.x_m, self.y_m = routes.way(somewhere, somewhere)[0]
        self.heading_deg = self._rng.choice((0.0, 90.0, 180.0, 270.0))
        self._accel_mps2 = 0.0
        self.doing = Doing.WORKING
        self._until_s = self._rng.uniform(0.5, 3.0)
        self._to_dock = False
        self._way: list[Spot] = []
        air_c = climate.at(self.x_m, self.y_m, 0.0).temp_c
        self.drive = drive.Drive(air_c + self._rng.uniform(1, 8), 0.35, self._rng.uniform(40, 95))
        self.wear = drive.SOUND

    def step(self) -> None:
        """Let `STEP_S` pass."""
        self.t_s += STEP_S
        self.wear = self._worn()
        before_mps = self.speed_mps
        match self.doing:
            case Doing.DRIVING:
                self._drive_on()
            case Doing.CHARGING:
                if self.drive.battery_pct >= _FULL_PCT:
                    self._world.leave_dock(self.robot_id)
                    self._set_off(self._errand())
            case Doing.WAITING:
                self._look_for_dock()
            case Doing.WORKING | Doing.MANUAL:
                if self.t_s >= self._until_s:
                    self._next_errand()
        self._accel_mps2 = (self.speed_mps - before_mps) / STEP_S
        self._feel(before_mps)

    def nudge(self, direction: str) -> bool:
        """Move half a metre `UP`, `DOWN`, `LEFT` or `RIGHT` on the plan by hand; False when something is in the way.

        The robot then stays under manual control for 30 s before it goes on with its errands.

        Raises:
            ValueError: no such direction.
        """
        if direction not in _DIRECTIONS:
            raise ValueError(f"direction {direction!r}: choose one of {', '.join(_DIRECTIONS)}")
        dx, dy = _DIRECTIONS[direction]
        to_x_m, to_y_m = self.x_m + dx * NUDGE_M, self.y_m + dy * NUDGE_M
        self.speed_mps = 0.0
        self._world.leave_dock(self.robot_id)
        self.doing, self._until_s = Doing.MANUAL, self.t_s + _MANUAL_S
        self.heading_deg = degrees(atan2(dx, -dy)) % 360.0
        if self.wear.wheel >= 1.0 or not self._world.way_free(self.x_m, self.y_m, to_x_m, to_y_m):
            return False
        self.x_m, self.y_m = to_x_m, to_y_m
        self.speed_mps = NUDGE_M
        return True

    def sense(self) -> Sensed:
        """Read every sensor once."""
        air, noise = self._climate.at(self.x_m, self.y_m, self.t_s), self._noise.gauss
        lat, lng = self._world.globe(self.x_m, self.y_m)
        return Sensed(
            temp_c=air.temp_c + noise(0, 0.05),
            hum_pct=air.hum_pct + noise(0, 0.2),
            pres_hpa=air.pres_hpa + noise(0, 0.04),
            wind_mps=max(0.0, air.wind_mps + 0.1 * self.speed_mps + noise(0, 0.03)),
            x_m=self.x_m,
            y_m=self.y_m,
            lat=lat,
            lng=lng,
            alt_m=self._world.plan.origin_alt_m,
            heading_deg=self.heading_deg % 360.0,
            speed_mps=max(0.0, self.speed_mps + (noise(0, 0.01) if self.speed_mps > 0 else 0.0)),
            battery_pct=self.drive.battery_pct,
            motor_temp_c=self.drive.motor_temp_c + noise(0, 0.08),
            motor_current_a=max(0.0, self.drive.motor_current_a + noise(0, 0.06)),
            status=self.status,
        )

    @property
    def status(self) -> str:
        """`moving`, `idle`, `charging` or `blocked`."""
        if self.wear.wheel >= 1.0 and self.doing is Doing.DRIVING:
            return "blocked"
        if self.doing is Doing.CHARGING:
            return "charging"
        return "moving" if self.doing is Doing.DRIVING or self.speed_mps > 0 else "idle"

    def _worn(self) -> drive.Wear:
        while self._fault is not None and self.t_s >= self._fault.end_s:
            self._fault = next(self._faults, None)
        return drive.SOUND if self._fault is None else self._fault.wear(self.t_s)

    def _feel(self, before_mps: float) -> None:
        """Motor, battery and, after a nudge by hand, coming to a stand."""
        blocked = self.wear.wheel >= 1.0 and self.doing is Doing.DRIVING
        self.drive = drive.step(
            self.drive,
            self.wear,
            STEP_S,
            speed_mps=self.speed_mps,
            accel_mps2=_ACCEL_MPS2 if blocked else self._accel_mps2,
            load_kg=self.load_kg,
            air_c=self._climate.at(self.x_m, self.y_m, self.t_s).temp_c,
            charging=self.doing is Doing.CHARGING,
        )
        if self.doing is Doing.MANUAL and before_mps > 0:
            self.speed_mps = max(0.0, self.speed_mps - _COAST_MPS2 * STEP_S)

    def _drive_on(self) -> None:
        """Turn towards the next corner of the way, then roll to it."""
        if self.wear.wheel >= 1.0:
            self.speed_mps = 0.0
            return
        to_x, to_y = self._way[0]
        left_m = hypot(to_x - self.x_m, to_y - self.y_m)
        if left_m > 0.01:
            bearing = degrees(atan2(to_x - self.x_m, -(to_y - self.y_m)))
            off = (bearing - self.heading_deg + 180.0) % 360.0 - 180.0
            if abs(off) > 0.5:
                self.speed_mps = 0.0
                self.heading_deg = (self.heading_deg + max(-_TURN_DEG_S * STEP_S, min(_TURN_DEG_S * STEP_S, off))) % 360.0
                return
            top_mps = min(_SPEED_MPS, sqrt(2 * _ACCEL_MPS2 * left_m), self.speed_mps + _ACCEL_MPS2 * STEP_S)
            moved_m = min(left_m, max(top_mps, 0.02) * STEP_S)
            self.x_m += (to_x - self.x_m) * moved_m / left_m
            self.y_m += (to_y - self.y_m) * moved_m / left_m
            self.speed_mps = moved_m / STEP_S
            left_m -= moved_m
        if left_m <= 0.01:
            self._way.pop(0)
            if not self._way:
                self._arrive()

    def _arrive(self) -> None:
        self.speed_mps = 0.0
        if self._to_dock:
            self.doing = Doing.CHARGING
            return
        self.doing = Doing.WORKING
        self.load_kg = 0.0 if self.load_kg > 0 else self._rng.uniform(5.0, 40.0)
        pause_s = self._rng.uniform(4.0, 12.0) if self._rng.random() < 0.9 else self._rng.uniform(15.0, 40.0)
        self._until_s = self.t_s + pause_s

    def _next_errand(self) -> None:
        if self.drive.battery_pct < _LOW_PCT:
            self._look_for_dock()
        else:
            self._set_off(self._errand())

    def _look_for_dock(self) -> None:
        must = self.drive.battery_pct < _MUST_WAIT_PCT
        dock = self._world.take_dock(self.robot_id, wait=must)
        if dock is not None:
            self.load_kg = 0.0
            self._set_off(dock.centre, to_dock=True)
        elif must:
            self.doing = Doing.WAITING
        else:
            self._set_off(self._errand())

    def _errand(self) -> Spot:
        """Where to next: beside a rack, or now and then, and more often with a load, to the door."""
        plan = self._world.plan
        if plan.doors and self._rng.random() < (0.5 if self.load_kg > 0 else 0.1):
            x1, y1, x2, y2 = self._rng.choice(plan.doors)
            along = self._rng.uniform(0.1, 0.9)
            return x1 + (x2 - x1) * along, y1 + (y2 - y1) * along
        rack = self._rng.choice(plan.racks)
        side_x = rack.x_m - 1.3 if self._rng.random() < 0.5 else rack.x_m + rack.w_m + 1.3
        return side_x, rack.y_m + rack.h_m * self._rng.choice((0.2, 0.5, 0.8))

    def _set_off(self, goal: Spot, *, to_dock: bool = False) -> None:
        way = self._routes.way((self.x_m, self.y_m), goal)
        self._way = [(x + self._lane[0], y + self._lane[1]) for x, y in way]
        if to_dock:
            self._way.append(goal)
        if not self._world.way_free(self.x_m, self.y_m, *self._way[0]):
            self._way.insert(0, way[0])
        self._to_dock = to_dock
        self.doing = Doing.DRIVING
