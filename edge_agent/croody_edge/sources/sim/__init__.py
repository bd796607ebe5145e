"""Readings of one virtual robot. Knows how much of the world's time has passed and how a look at the robot becomes a `Reading`.

The world's time follows the clock that `read` is given, in steps of `STEP_S`; a clock that jumps moves it by one interval.
"""

from datetime import UTC, datetime
from threading import Lock
from typing import Final
from zlib import crc32

from croody_contract.messages import Position, Reading
from croody_edge.sim.climate import Climate
from croody_edge.sim.plan import BODEGA, load
from croody_edge.sim.robot import STEP_S, Robot, Sensed
from croody_edge.sim.route import Routes
from croody_edge.sim.world import World
from croody_edge.sources import Context, SourceSettings

#: A clock that went further than this between two reads was set, not lived through, seconds.
_JUMP_S: Final = 30.0


class Site:
    """The world that virtual robots share, and the lock under which anybody touches it."""

    def __init__(self, *, seed: int = 1) -> None:
        plan = load(BODEGA)
        self.seed = seed
        self.world = World(plan)
        self.routes = Routes(self.world)
        self.climate = Climate(plan, seed)
        self.lock = Lock()

    def robot(self, robot_id: str, number: int, scenario: str = "default") -> Robot:
        """A new robot of this world.

        Raises:
            ValueError: no such scenario.
        """
        return Robot(robot_id, number, self.world, self.routes, self.climate, seed=self.seed, scenario=scenario)


class SimSource:
    """A `PullSource` over one virtual robot, safe to use from the agent's thread and the TCP server's."""

    def __init__(self, robot: Robot, site: Site, *, interval_s: float = 1.0) -> None:
        self.interval_s = interval_s
        #: Turned off, it has nothing new to tell, and its world stands still: so a fleet can drain.
        self.off = False
        self._robot, self._site = robot, site
        self._last: float | None = None
        self._owed_s = 0.0

    def read(self, now: float) -> Reading | None:
        """Let the world catch up with `now` (unix seconds) and look at the robot."""
        if self.off:
            return None
        with self._site.lock:
            elapsed_s = self.interval_s if self._last is None else now - self._last
            self._last = now
            self._owed_s += elapsed_s if 0 <= elapsed_s <= _JUMP_S else self.interval_s
            while self._owed_s >= STEP_S - 1e-6:
                self._robot.step()
                self._owed_s -= STEP_S
            sensed = self._robot.sense()
        return reading(sensed, self._site.world.plan.slug, now)

    def close(self) -> None:
        """Nothing to give back: a virtual robot holds no device."""

    def look(self) -> Sensed:
        """The robot as it is, without letting time pass."""
        with self._site.lock:
            return self._robot.sense()

    def nudge(self, direction: str) -> bool:
        """Move the robot by hand; False when something is in the way.

        Raises:
            ValueError: no such direction.
        """
        with self._site.lock:
            return self._robot.nudge(direction)

    @property
    def environment(self) -> str:
        """Where the robot is, as one word."""
        return self._site.world.plan.slug


class Alone(SimSource):
    """The kind `sim`: a robot alone in its world; its life follows from its name."""

    Settings = SourceSettings

    def __init__(self, own: SourceSettings, context: Context) -> None:
        site = Site()
        super().__init__(site.robot(context.robot_id, crc32(context.robot_id.encode())), site, interval_s=own.interval_s)


def reading(sensed: Sensed, environment: str, now: float) -> Reading:
    """A look at a robot as the record that travels, rounded to what such sensors give."""
    return Reading(
        data={
            "TEMP": round(sensed.temp_c, 1),
            "HUM": round(sensed.hum_pct, 1),
            "PRES": round(sensed.pres_hpa, 1),
            "WIND": round(sensed.wind_mps, 2),
            "speed_mps": round(sensed.speed_mps, 2),
            "battery_pct": round(sensed.battery_pct, 2),
            "x_m": round(sensed.x_m, 2),
            "y_m": round(sensed.y_m, 2),
            "heading_deg": round(sensed.heading_deg, 1) % 360.0,
            "motor_temp_c": round(sensed.motor_temp_c, 1),
            "motor_current_a": round(sensed.motor_current_a, 2),
        },
        ts=datetime.fromtimestamp(now, UTC),
        position=Position(lat=round(sensed.lat, 7), lng=round(sensed.lng, 7), alt=round(sensed.alt_m, 1)),
        environment=environment,
        status=sensed.status,
    )
