"""The unit that a metric's own name says, where nobody described it: `battery_pct`, `motor_temp_c`. Pure."""

from typing import Final

#: Last part of a name -> its unit.
_SUFFIXES: Final = {
    "pct": "%",
    "c": "°C",
    "k": "K",
    "v": "V",
    "a": "A",
    "w": "W",
    "wh": "Wh",
    "kwh": "kWh",
    "hz": "Hz",
    "m": "m",
    "mm": "mm",
    "km": "km",
    "s": "s",
    "ms": "ms",
    "kg": "kg",
    "g": "g",
    "mps": "m/s",
    "kmh": "km/h",
    "dps": "°/s",
    "deg": "°",
    "rpm": "rpm",
    "hpa": "hPa",
    "bar": "bar",
    "kpa": "kPa",
    "pa": "Pa",
    "lux": "lx",
    "ppm": "ppm",
    "dbm": "dBm",
    "db": "dB",
    "bytes": "B",
    "bps": "bit/s",
}
#: What the earlier robots' protocol and the simulator call theirs.
_WHOLE: Final = {"TEMP": "°C", "HUM": "%", "PRES": "hPa", "WIND": "m/s"}


def unit_of(name: str) -> str:
    """The unit of a metric by its name; empty where that says none."""
    if name in _WHOLE:
        return _WHOLE[name]
    head, _, last = name.rpartition("_")
    if not head:
        return ""
    if last == "s" and head.endswith(("_per", "bytes_per")):
        return "B/s" if head.endswith("bytes_per") else "/s"
    return _SUFFIXES.get(last, "")
