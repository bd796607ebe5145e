"""What stops a robot in a site, and where a spot of its plan lies on the globe. Pure but for who occupies a dock.

A robot is a disc of `RADIUS_M`. Walls, racks and the edge of the plan stop it: a door is for people and pallets.
"""

from math import cos, hypot, radians
from typing import Final

from croody_edge.sim.plan import Box, Plan

RADIUS_M: Final = 0.4
#: How close to each other the spots of a way are looked at, metres. Well below the radius, so nothing is stepped over.
_LOOK_M: Final = 0.1
_METRES_A_DEGREE: Final = 111_320.0


class World:
    """One site shared by its robots."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._taken: dict[str, str] = {}
        self._queue: list[str] = []

    def clearance_m(self, x_m: float, y_m: float) -> float:
        """Distance from a spot to the nearest thing that stops; 0 or less inside of it or outside the plan."""
        plan = self.plan
        nearest = min(x_m, y_m, plan.width_m - x_m, plan.height_m - y_m)
        for rack in plan.racks:
            nearest = min(nearest, _to_box(x_m, y_m, rack))
        for x1, y1, x2, y2 in plan.walls:
            nearest = min(nearest, _to_segment(x_m, y_m, x1, y1, x2, y2))
        return nearest

    def free(self, x_m: float, y_m: float) -> bool:
        """Say whether a robot fits at this spot."""
        return self.clearance_m(x_m, y_m) >= RADIUS_M

    def way_free(self, x_m: float, y_m: float, to_x_m: float, to_y_m: float) -> bool:
        """Say whether a robot gets from one spot to another in a straight line."""
        steps = max(1, round(hypot(to_x_m - x_m, to_y_m - y_m) / _LOOK_M))
        return all(self.free(x_m + (to_x_m - x_m) * i / steps, y_m + (to_y_m - y_m) * i / steps) for i in range(1, steps + 1))

    def globe(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Latitude and longitude of a spot, degrees. Good to a millimetre over a warehouse."""
        plan = self.plan
        return (
            plan.origin_lat - y_m / _METRES_A_DEGREE,
            plan.origin_lng + x_m / (_METRES_A_DEGREE * cos(radians(plan.origin_lat))),
        )

    def take_dock(self, robot_id: str, *, wait: bool = False) -> Box | None:
        """The dock that `robot_id` holds or may have now; None when there is none. With `wait` it keeps its place in the queue."""
        for dock in self.plan.docks:
            if self._taken.get(dock.name) == robot_id:
                return dock
        if wait and robot_id not in self._queue:
            self._queue.append(robot_id)
        spare = [dock for dock in self.plan.docks if dock.name not in self._taken]
        ahead = self._queue.index(robot_id) if robot_id in self._queue else len(self._queue)
        if ahead >= len(spare):
            return None
        self._taken[spare[0].name] = robot_id
        self._queue = [other for other in self._queue if other != robot_id]
        return spare[0]

    def leave_dock(self, robot_id: str) -> None:
        """Give back whatever dock `robot_id` holds, and its place in the queue."""
        self._taken = {dock: holder for dock, holder in self._taken.items() if holder != robot_id}
        self._queue = [other for other in self._queue if other != robot_id]


def _to_box(x: float, y: float, box: Box) -> float:
    dx = max(box.x_m - x, x - box.x_m - box.w_m)
    dy = max(box.y_m - y, y - box.y_m - box.h_m)
    if dx <= 0 and dy <= 0:
        return max(dx, dy)
    return hypot(max(dx, 0.0), max(dy, 0.0))


def _to_segment(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> float:
    length = (x2 - x1) ** 2 + (y2 - y1) ** 2
    along = 0.0 if length == 0 else min(1.0, max(0.0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length))
    return hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1))
