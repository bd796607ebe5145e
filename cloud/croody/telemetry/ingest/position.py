"""Coordinates that robots and clients put among the metrics. Pure."""

from typing import Any, Final

from croody_contract.explain import degrees_remedy
from croody_contract.messages import Refused

#: Names in the order of preference, and the greatest absolute value in degrees.
_LAT: Final = ("LAT", "lat")
_LNG: Final = ("LON", "lon", "lng", "LNG")
_ALT: Final = ("ALT", "alt")


def coordinates_of(data: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude (degrees) and altitude (metres) when both coordinates are there as numbers, else three None.

    Raises:
        Refused: a coordinate that lies outside the Earth.
    """
    if "lat" not in data and "LAT" not in data:
        return None, None, None
    lat = _find(data, _LAT)
    lng = _find(data, _LNG) if lat is not None else None
    if lat is None or lng is None:
        return None, None, None
    alt = _find(data, _ALT)
    return _degrees(*lat, 90), _degrees(*lng, 180), alt[1] if alt is not None else None


def _find(data: dict[str, Any], names: tuple[str, ...]) -> tuple[str, float] | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return name, float(value)
    return None


def _degrees(name: str, value: float, most: int) -> float:
    if abs(value) > most:
        raise Refused(
            "out_of_range", f"data.{name}: {value:g} is no coordinate: it lies between -{most} and {most} degrees{degrees_remedy(value)}"
        )
    return value
