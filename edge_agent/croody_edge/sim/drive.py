"""Motor and battery of a virtual robot: current, heat and charge from one time step to the next. Pure.

Figures are those of a 60 kg warehouse robot at 24 V, with a battery made small so that a visitor sees it charge.
"""

from dataclasses import dataclass
from typing import Final

EMPTY_KG: Final = 60.0
_IDLE_A: Final = 0.35
_ROLLING_A: Final = 1.6
_ACCELERATING_A: Final = 2.2
_STALL_A: Final = 7.5
_HEAT_C_A2_S: Final = 0.030
_COOLING_S: Final = 150.0
_ELECTRONICS_PCT_S: Final = 0.010
_DRAIN_PCT_A_S: Final = 0.016
_CHARGE_PCT_S: Final = 0.50
#: From here on the charger tapers off.
_TAPER_PCT: Final = 85.0


@dataclass(frozen=True, slots=True)
class Wear:
    """What is broken, each from 0 (sound) to 1. `bearing` drags and heats, `cell` drinks the battery, `wheel` does not turn."""

    bearing: float = 0.0
    cell: float = 0.0
    wheel: float = 0.0


SOUND: Final = Wear()


@dataclass(frozen=True, slots=True)
class Drive:
    """State of motor and battery."""

    motor_temp_c: float
    motor_current_a: float
    battery_pct: float


def step(
    drive: Drive, wear: Wear, dt_s: float, *, speed_mps: float, accel_mps2: float, load_kg: float, air_c: float, charging: bool
) -> Drive:
    """Where motor and battery are `dt_s` later.

    Args:
        drive: before.
        wear: what is broken.
        dt_s: seconds, small against the motor's 150 s.
        speed_mps: over the ground.
        accel_mps2: along the way, negative when braking.
        load_kg: on top of the robot's own weight.
        air_c: around it.
        charging: stands on a live dock.
    """
    mass = (EMPTY_KG + load_kg) / EMPTY_KG
    current_a = _IDLE_A + _ROLLING_A * speed_mps * mass + _ACCELERATING_A * max(0.0, accel_mps2) * mass
    friction_c_s = 0.0
    if speed_mps > 0.05:
        current_a += 2.6 * wear.bearing
        friction_c_s = 0.28 * wear.bearing * speed_mps
    if wear.wheel > 0 and accel_mps2 > 0:
        current_a += (_STALL_A - current_a) * wear.wheel
    heating_c_s = _HEAT_C_A2_S * current_a**2 + friction_c_s - (drive.motor_temp_c - air_c) / _COOLING_S
    drain_pct_s = (_ELECTRONICS_PCT_S + _DRAIN_PCT_A_S * current_a) * (1.0 + 2.5 * wear.cell)
    if charging:
        taper = min(1.0, max(0.08, (100.0 - drive.battery_pct) / (100.0 - _TAPER_PCT)))
        drain_pct_s -= _CHARGE_PCT_S * taper * (1.0 - 0.5 * wear.cell)
    return Drive(
        motor_temp_c=drive.motor_temp_c + heating_c_s * dt_s,
        motor_current_a=current_a,
        battery_pct=min(100.0, max(0.0, drive.battery_pct - drain_pct_s * dt_s)),
    )
