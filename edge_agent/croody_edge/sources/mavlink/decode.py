"""One MAVLink message -> metrics, position, status. Pure: knows the common message set, no link and no clock.

A table says which messages are read and how; every field that its sender marks as unknown (the largest number of its type, as the
standard has it) is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import degrees, hypot
from typing import Any, Final

from croody_contract.messages import Position
from croody_contract.values import position

_U16: Final = 2**16 - 1
_I16: Final = 2**15 - 1
_U8: Final = 2**8 - 1
#: `MAV_MODE_FLAG`.
_ARMED: Final = 128
_CUSTOM: Final = 1
_STATES: Final = ("uninit", "boot", "calibrating", "standby", "active", "critical", "emergency", "poweroff", "terminated")
_FIXES: Final = ("no gps", "no fix", "2d", "3d", "dgps", "rtk float", "rtk", "static", "ppp")
_LANDED: Final = ("", "on ground", "in air", "taking off", "landing")
_ARDUPILOT: Final = 3
_PX4: Final = 12
_PX4_MODES: Final = ("", "manual", "altctl", "posctl", "auto", "acro", "offboard", "stabilized", "rattitude", "simple", "termination")
_PX4_AUTO: Final = ("", "ready", "takeoff", "loiter", "mission", "rtl", "land", "rtgs", "follow", "precland", "vtol takeoff")
#: `MAV_TYPE` -> prefix of the enumeration in which ArduPilot names the modes of such a vehicle.
_ARDUPILOT_MODES: Final = (
    ({1, 16, 19, 20, 21, 22, 23, 24, 25, 28}, "PLANE_MODE"),
    ({2, 3, 4, 13, 14, 15, 29, 35}, "COPTER_MODE"),
    ({10, 11}, "ROVER_MODE"),
    ({12}, "SUB_MODE"),
    ({5}, "TRACKER_MODE"),
)


@dataclass(slots=True)
class Said:
    """What one message says. `data` may hold what no reading can carry."""

    data: dict[str, object] = field(default_factory=dict)
    position: Position | None = None
    status: str | None = None


def said(message: Any, modes: Callable[[str, int], str]) -> Said | None:
    """What the message says of the vehicle; None of a message that is not read here.

    Args:
        message: as pymavlink decodes it.
        modes: (name of an enumeration, value) -> the entry's name, empty when it has none.
    """
    name = message.get_type()
    if name == "HEARTBEAT":
        return _heartbeat(message, modes)
    read = _READ.get(name)
    return read(message) if read is not None else None


def flight_mode(vehicle: int, autopilot: int, custom: int, modes: Callable[[str, int], str]) -> str:
    """The mode's name, its number where nobody knows a name.

    Args:
        vehicle: `MAV_TYPE`.
        autopilot: `MAV_AUTOPILOT`.
        custom: `custom_mode` of the heartbeat.
        modes: as for `said`.
    """
    if autopilot == _PX4:
        main, sub = custom >> 16 & 0xFF, custom >> 24 & 0xFF
        words = [_word(_PX4_MODES, main), _word(_PX4_AUTO, sub) if main == _PX4_MODES.index("auto") else ""]
        return " ".join(filter(None, words)) or str(custom)
    if autopilot == _ARDUPILOT:
        for kinds, enumeration in _ARDUPILOT_MODES:
            if vehicle in kinds:
                return modes(enumeration, custom).removeprefix(f"{enumeration}_").lower() or str(custom)
    return str(custom)


def unhealthy(message: Any, sensors: Callable[[str, int], str]) -> tuple[str, ...]:
    """Names of sensors and functions that are switched on and not well, of a `SYS_STATUS`."""
    bits = message.onboard_control_sensors_enabled & message.onboard_control_sensors_present & ~message.onboard_control_sensors_health
    found = [sensors("MAV_SYS_STATUS_SENSOR", 1 << bit) or str(bit) for bit in range(31) if bits >> bit & 1]
    return tuple(name.removeprefix("MAV_SYS_STATUS_").removeprefix("SENSOR_").lower() for name in found)


def _heartbeat(message: Any, modes: Callable[[str, int], str]) -> Said:
    found = Said({"armed": bool(message.base_mode & _ARMED)}, status=_word(_STATES, message.system_status) or None)
    if message.base_mode & _CUSTOM:
        found.data["flight_mode"] = flight_mode(message.type, message.autopilot, message.custom_mode, modes)
    return found


def _sys_status(message: Any) -> Said:
    return Said(
        {
            "autopilot_load_pct": message.load / 10,
            "battery_v": _scaled(message.voltage_battery, 0.001, _U16),
            "battery_a": _scaled(message.current_battery, 0.01, -1),
            "battery_pct": _scaled(message.battery_remaining, 1, -1),
            "link_drop_pct": message.drop_rate_comm / 100,
        }
    )


def _battery(message: Any) -> Said:
    first = "battery" if message.id == 0 else f"battery{message.id + 1}"
    cells = [cell for cell in (*message.voltages, *(one or _U16 for one in message.voltages_ext)) if cell != _U16]
    return Said(
        {
            f"{first}_v": sum(cells) / 1000 if cells else None,
            f"{first}_cell_min_v": min(cells) / 1000 if len(cells) > 1 else None,
            f"{first}_a": _scaled(message.current_battery, 0.01, -1),
            f"{first}_pct": _scaled(message.battery_remaining, 1, -1),
            f"{first}_temp_c": _scaled(message.temperature, 0.01, _I16),
            f"{first}_used_mah": _scaled(message.current_consumed, 1, -1),
            f"{first}_left_s": _scaled(message.time_remaining, 1, 0),
        }
    )


def _global_position(message: Any) -> Said:
    return Said(
        {
            "height_m": message.relative_alt / 1000,
            "speed_mps": hypot(message.vx, message.vy) / 100,
            "climb_mps": -message.vz / 100,
            "heading_deg": _scaled(message.hdg, 0.01, _U16),
        },
        position(message.lat / 1e7, message.lon / 1e7, message.alt / 1000),
    )


def _gps(message: Any) -> Said:
    return Said(
        {
            "gps_fix": _word(_FIXES, message.fix_type),
            "gps_satellites": _scaled(message.satellites_visible, 1, _U8),
            "gps_hdop": _scaled(message.eph, 0.01, _U16),
        },
        position(message.lat / 1e7, message.lon / 1e7, message.alt / 1000) if message.fix_type >= 2 else None,
    )


def _vfr_hud(message: Any) -> Said:
    return Said(
        {
            "airspeed_mps": message.airspeed,
            "speed_mps": message.groundspeed,
            "throttle_pct": message.throttle,
            "climb_mps": message.climb,
        }
    )


def _attitude(message: Any) -> Said:
    return Said({"roll_deg": degrees(message.roll), "pitch_deg": degrees(message.pitch), "yaw_deg": degrees(message.yaw)})


def _landed(message: Any) -> Said:
    return Said({"landed_state": _word(_LANDED, message.landed_state)})


def _mission(message: Any) -> Said:
    return Said({"mission_item": message.seq})


def _vibration(message: Any) -> Said:
    return Said(
        {f"vibration_{axis}_mps2": getattr(message, f"vibration_{axis}") for axis in "xyz"}
        | {"accel_clippings": message.clipping_0 + message.clipping_1 + message.clipping_2}
    )


_READ: Final[dict[str, Callable[[Any], Said]]] = {
    "SYS_STATUS": _sys_status,
    "BATTERY_STATUS": _battery,
    "GLOBAL_POSITION_INT": _global_position,
    "GPS_RAW_INT": _gps,
    "VFR_HUD": _vfr_hud,
    "ATTITUDE": _attitude,
    "EXTENDED_SYS_STATE": _landed,
    "MISSION_CURRENT": _mission,
    "VIBRATION": _vibration,
}


def _scaled(raw: int, factor: float, unknown: int) -> float | int | None:
    return None if raw == unknown else raw if factor == 1 else raw * factor


def _word(words: tuple[str, ...], index: int) -> str:
    return words[index] if 0 <= index < len(words) else ""
