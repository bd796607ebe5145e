"""A virtual robot as the TCP protocol sees it: names and texts of the old protocol. Knows no sockets."""

from croody_edge.sources.sim import SimSource


class SimMachine:
    """The `Machine` of `protocol`, over a `SimSource`."""

    def __init__(self, source: SimSource, robot_id: str) -> None:
        self._source, self._robot_id = source, robot_id

    def pairs(self) -> dict[str, str]:
        """Name to text; the first four are what the oldest clients know."""
        sensed = self._source.look()
        return {
            "TEMP": f"{sensed.temp_c:.1f}",
            "HUM": f"{sensed.hum_pct:.1f}",
            "PRES": f"{sensed.pres_hpa:.1f}",
            "WIND": f"{sensed.wind_mps:.2f}",
            "SPEED": f"{sensed.speed_mps:.2f}",
            "BATTERY": f"{sensed.battery_pct:.1f}",
            "LAT": f"{sensed.lat:.7f}",
            "LON": f"{sensed.lng:.7f}",
            "ALT": f"{sensed.alt_m:.1f}",
            "ROBOT": self._robot_id,
            "ENV": self._source.environment,
            "STATUS": sensed.status,
        }

    def move(self, direction: str) -> bool:
        """Half a metre on the plan; False when a wall or rack is in the way."""
        return self._source.nudge(direction)
