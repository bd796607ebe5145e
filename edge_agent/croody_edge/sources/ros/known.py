"""ROS 2 messages of the usual types -> metrics, position, status, pictures. Pure: one small function a type, in a table.

What is not known in a message (NaN, as `sensor_msgs` has it) is left out. Units are SI, angles degrees.
"""

from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Callable
from dataclasses import dataclass, field
from math import atan2, degrees, hypot, sqrt
from typing import Any, Final

from croody_contract.messages import Position
from croody_contract.values import number, position
from croody_edge.sources.ros import IMAGE
from croody_edge.sources.ros.paths import at

_BATTERY: Final = ("", "charging", "discharging", "not charging", "full")
_FIX: Final = {-2: "unknown", -1: "no fix", 0: "fix", 1: "sbas", 2: "gbas"}


@dataclass(slots=True)
class Said:
    """What one message says. `data` may hold what no reading can carry."""

    data: dict[str, object] = field(default_factory=dict)
    position: Position | None = None
    status: str | None = None
    picture: bytes | None = None


def _battery(message: Any) -> Said:
    share = number(at(message, "percentage"))
    state = at(message, "power_supply_status")
    return Said(
        {
            "battery_v": at(message, "voltage"),
            "battery_a": at(message, "current"),
            "battery_temp_c": at(message, "temperature"),
            "battery_ah": at(message, "charge"),
            # The message wants a share of 1; drivers that send per cent are common.
            "battery_pct": None if share is None or share < 0 else round(100 * share if share <= 1 else share, 2),
            "battery_state": _BATTERY[state] if isinstance(state, int) and 0 <= state < len(_BATTERY) else None,
        }
    )


def _pose(message: Any, path: str) -> dict[str, object]:
    yaw = _yaw_deg(*(number(at(message, f"{path}orientation.{axis}")) for axis in "xyzw"))
    return {"x_m": at(message, f"{path}position.x"), "y_m": at(message, f"{path}position.y"), "yaw_deg": yaw}


def _twist(message: Any, path: str) -> dict[str, object]:
    x, y = number(at(message, f"{path}linear.x")), number(at(message, f"{path}linear.y"))
    turn = number(at(message, f"{path}angular.z"))
    return {"speed_mps": None if x is None else hypot(x, y or 0.0), "turn_dps": None if turn is None else degrees(turn)}


def _odometry(message: Any) -> Said:
    return Said(_pose(message, "pose.pose.") | _twist(message, "twist.twist."))


def _fix(message: Any) -> Said:
    status = at(message, "status.status")
    found = Said({"gps_fix": _FIX.get(status) if isinstance(status, int) else None})
    if status != -1:
        found.position = position(at(message, "latitude"), at(message, "longitude"), number(at(message, "altitude")))
    variances = [number(at(message, f"position_covariance[{place}]")) for place in (0, 4)]
    if at(message, "position_covariance_type") and all(one is not None and one >= 0 for one in variances):
        found.data["gps_error_m"] = sqrt(sum(one for one in variances if one is not None))
    return found


def _image(message: Any) -> Said:
    data = at(message, "data")
    if isinstance(data, str):  # rosbridge sends bytes as base64.
        try:
            return Said(picture=b64decode(data, validate=True))
        except NoBase64:
            return Said()
    return Said(picture=bytes(data)) if data is not None else Said()


def _imu(message: Any) -> Said:
    roll, pitch, yaw = _angles_deg(*(number(at(message, f"orientation.{axis}")) for axis in "xyzw"))
    return Said({"roll_deg": roll, "pitch_deg": pitch, "yaw_deg": yaw})


def _of(**paths: str) -> Callable[[Any], Said]:
    return lambda message: Said({name: at(message, path) for name, path in paths.items()})


def _humidity(message: Any) -> Said:
    share = number(at(message, "relative_humidity"))
    return Said({"humidity_pct": None if share is None else 100 * share})


def _pressure(message: Any) -> Said:
    pascal = number(at(message, "fluid_pressure"))
    return Said({"pressure_hpa": None if pascal is None else pascal / 100})


KNOWN: Final[dict[str, Callable[[Any], Said]]] = {
    IMAGE: _image,
    "sensor_msgs/msg/BatteryState": _battery,
    "sensor_msgs/msg/NavSatFix": _fix,
    "sensor_msgs/msg/Imu": _imu,
    "sensor_msgs/msg/Temperature": _of(temp_c="temperature"),
    "sensor_msgs/msg/RelativeHumidity": _humidity,
    "sensor_msgs/msg/FluidPressure": _pressure,
    "sensor_msgs/msg/Illuminance": _of(light_lx="illuminance"),
    "sensor_msgs/msg/Range": _of(range_m="range"),
    "nav_msgs/msg/Odometry": _odometry,
    "geometry_msgs/msg/PoseStamped": lambda message: Said(_pose(message, "pose.")),
    "geometry_msgs/msg/PoseWithCovarianceStamped": lambda message: Said(_pose(message, "pose.pose.")),
    "geometry_msgs/msg/Twist": lambda message: Said(_twist(message, "")),
    "geometry_msgs/msg/TwistStamped": lambda message: Said(_twist(message, "twist.")),
}
#: Types with the one field `data`: the metric has the topic's name.
PLAIN: Final = frozenset(
    f"std_msgs/msg/{name}"
    for name in ("Bool", "Byte", "Float32", "Float64", "Int8", "Int16", "Int32", "Int64", "String", "UInt8", "UInt16", "UInt32", "UInt64")
)


def _yaw_deg(x: float | None, y: float | None, z: float | None, w: float | None) -> float | None:
    return _angles_deg(x, y, z, w)[2]


def _angles_deg(x: float | None, y: float | None, z: float | None, w: float | None) -> tuple[float | None, float | None, float | None]:
    """Roll, pitch and yaw of a rotation; nothing of one that is none, as all zeros are."""
    if x is None or y is None or z is None or w is None or x * x + y * y + z * z + w * w < 1e-6:
        return None, None, None
    sine = 2 * (w * y - z * x) / (x * x + y * y + z * z + w * w)
    pitch = atan2(sine, sqrt(max(0.0, 1 - sine * sine)))
    roll = atan2(2 * (w * x + y * z), w * w - x * x - y * y + z * z)
    yaw = atan2(2 * (w * z + x * y), w * w + x * x - y * y - z * z)
    return degrees(roll), degrees(pitch), degrees(yaw)
