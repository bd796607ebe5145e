"""Sessions of robots that are not our simulator's, and of the simulator's with everything it sends. A session is a robot under one seed.

Each has ten hours, one row a second. Physics is coarse: what matters is that metrics depend on each other, on what the robot does, on the
hour of the day, and that some only wander.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from croody_edge.sources.sim import SimSource, Site

HOURS: Final = 10
_ROWS: Final = HOURS * 3600
Array = NDArray[np.float64]


class Session(NamedTuple):
    """`values`: shape (n, metrics), rounded as such sensors are. `modes`: of each row."""

    kind: str
    seed: int
    names: list[str]
    modes: list[str]
    values: Array


def arm(seed: int) -> Session:
    """A six-jointed arm that picks and places, waits, and warms up."""
    rng = np.random.default_rng(seed)
    working, phase, load = _stays(rng, 1500, 300), np.zeros(_ROWS), np.zeros(_ROWS)
    turn, cycle_s, kg = 0.0, 12.0, 2.0
    for row in range(_ROWS):
        if working[row]:
            turn += 1 / cycle_s
            if turn >= 1:
                turn, cycle_s, kg = 0.0, rng.uniform(10, 15), rng.uniform(0.5, 4.0)
        phase[row], load[row] = turn, kg
    room_c = _day(rng, 22.0, 2.0)
    columns: dict[str, Array] = {"load_kg": np.where(working & (phase > 0.3) & (phase < 0.7), load, 0.0) + _noise(rng, 0.02)}
    total = np.zeros(_ROWS)
    for joint in range(6):
        speed = np.where(working, np.sin(2 * np.pi * (phase + joint / 9)) * (0.4 + 0.1 * joint), 0.0)
        current = 0.3 + (6 - joint) * 0.15 * (1 + 0.3 * columns["load_kg"]) * working + 1.2 * np.abs(speed) + _noise(rng, 0.05)
        columns[f"joint{joint}_speed"] = np.round(speed + _noise(rng, 0.01), 3)
        columns[f"joint{joint}_current_a"] = np.round(current, 2)
        columns[f"joint{joint}_temp_c"] = np.round(room_c + _lag(6.0 * current, 900) + _noise(rng, 0.05), 1)
        total += current
    columns["supply_v"] = np.round(48.0 - 0.08 * total + _noise(rng, 0.03), 2)
    return _session("arm", seed, columns, np.where(working, "working", "waiting"))


def drone(seed: int) -> Session:
    """A drone that inspects: it flies, lands, and its battery is changed."""
    rng = np.random.default_rng(seed + 1000)
    flying = _stays(rng, 900, 400)
    wind = np.abs(3 + _lag(_noise(rng, 25.0), 120))
    altitude = _lag(np.where(flying, 25 + 8 * np.sin(np.arange(_ROWS) / 90), 0.0), 12)
    throttle = np.where(flying, 48 + 2.2 * wind + 6 * np.gradient(altitude), 0.0) + _noise(rng, 0.8) * flying
    current = np.where(flying, 0.32 * throttle, 0.6) + _noise(rng, 0.1)
    charge = np.zeros(_ROWS)
    left = 100.0
    for row in range(_ROWS):
        left = rng.uniform(96, 100) if not flying[row] and left < 70 else left - current[row] * 0.0022
        charge[row] = max(left, 5.0)
    columns = {
        "altitude_m": np.round(altitude + _noise(rng, 0.05), 2),
        "throttle_pct": np.round(throttle, 1),
        "battery_a": np.round(current, 2),
        "battery_pct": np.round(charge, 1),
        "battery_v": np.round(21.0 + 0.042 * charge - 0.03 * current + _noise(rng, 0.02), 2),
        "vibration": np.round(np.where(flying, 9 + 0.05 * throttle, 0.2) + _noise(rng, 0.4), 2),
        "satellites": np.clip(np.round(14 + _lag(_noise(rng, 20.0), 200)), 6, 20),
        "gps_hdop": np.round(np.clip(0.8 + _lag(_noise(rng, 2.0), 150), 0.5, 3), 2),
    }
    for motor in range(4):
        columns[f"rpm{motor}"] = np.round(np.where(flying, 90 * throttle + 40 * motor, 0.0) + _noise(rng, 40.0) * flying)
    return _session("drone", seed, columns, np.where(flying, "flying", "landed"))


def tug(seed: int) -> Session:
    """A tug in a warehouse: it tows, rides empty, and charges; no two days of its shift are alike."""
    rng = np.random.default_rng(seed + 2000)
    riding, towing = _stays(rng, 240, 60), _stays(rng, 600, 500)
    charging = ~_stays(rng, 4500, 900)
    riding &= ~charging
    load = np.where(towing, 250 + 40 * np.sin(np.arange(_ROWS) / 500), 0.0)
    wanted = np.where(riding, 1.2 + 0.5 * _lag(_noise(rng, 6.0), 20), 0.0)
    speed = np.clip(_lag(wanted, 3), 0, 2.2)
    current = np.where(charging, -12.0, 0.8 + 4.0 * speed + 0.012 * load * (speed > 0.05) + 6 * np.clip(np.gradient(speed), 0, 1)) + _noise(
        rng, 0.1
    )
    columns = {
        "speed_mps": np.round(speed + _noise(rng, 0.005) * riding, 3),
        "left_current_a": np.round(np.maximum(0, current) / 2 + _noise(rng, 0.05), 2),
        "right_current_a": np.round(np.maximum(0, current) / 2 + _noise(rng, 0.05), 2),
        "bus_v": np.round(25.2 - 0.05 * current + _noise(rng, 0.02), 2),
        "load_kg": np.round(load + _noise(rng, 0.8)),
        "controller_temp_c": np.round(_day(rng, 20, 3) + _lag(1.4 * np.abs(current), 600) + _noise(rng, 0.1), 1),
        "nearest_m": np.round(np.clip(2.5 + _lag(_noise(rng, 9.0), 15), 0.15, 8), 2),
        "wifi_dbm": np.round(-58 + _lag(_noise(rng, 40.0), 60)),
        "odometer_m": np.round(np.cumsum(speed), 1),
    }
    return _session("tug", seed, columns, np.where(charging, "charging", np.where(riding, "riding", "waiting")))


def rover(seed: int) -> Session:
    """The simulator's own, with everything it sends: the learned profile knows nothing of its five metrics."""
    site = Site(seed=seed)
    source = SimSource(site.robot(f"measured-{seed}", 0, "calm"), site)
    others = [SimSource(site.robot(f"other-{seed}-{number}", number, "calm"), site) for number in (1, 2)]
    names: list[str] = []
    modes, rows = [], []
    for second in range(_ROWS):
        reading = source.read(1e6 + second)
        for other in others:
            other.read(1e6 + second)
        if reading is not None:
            names = names or [name for name, value in reading.data.items() if isinstance(value, float)]
            rows.append([float(reading.data[name]) for name in names])
            modes.append(reading.status or "")
    return Session("rover", seed, names, modes, np.asarray(rows))


KINDS: Final[dict[str, Callable[[int], Session]]] = {"arm": arm, "drone": drone, "tug": tug, "rover": rover}


def sessions(seeds: range) -> Iterator[Session]:
    """Each kind under each seed."""
    for make in KINDS.values():
        for seed in seeds:
            yield make(seed)


def _session(kind: str, seed: int, columns: dict[str, Array], modes: NDArray[np.str_]) -> Session:
    return Session(kind, seed, list(columns), modes.tolist(), np.stack(list(columns.values()), axis=1))


def _stays(rng: np.random.Generator, on_s: float, off_s: float) -> NDArray[np.bool_]:
    """On and off in turns, each for about so long."""
    out = np.zeros(_ROWS, dtype=bool)
    at, on = 0, True
    while at < _ROWS:
        lasts = int(rng.uniform(0.5, 1.5) * (on_s if on else off_s)) + 1
        out[at : at + lasts] = on
        at, on = at + lasts, not on
    return out


def _noise(rng: np.random.Generator, spread: float) -> Array:
    return rng.normal(0.0, spread, _ROWS)


def _day(rng: np.random.Generator, mean: float, swing: float) -> Array:
    """A room over a working day."""
    return np.asarray(mean + swing * np.sin(2 * np.pi * (np.arange(_ROWS) / 86_400 + rng.uniform(0, 1))))


def _lag(values: Array, tau: float) -> Array:
    """First-order lag with a time constant of `tau` rows."""
    out = np.empty_like(values)
    state, share = float(values[0]), 1 / tau
    for row, value in enumerate(values.tolist()):
        state += share * (value - state)
        out[row] = state
    return out
