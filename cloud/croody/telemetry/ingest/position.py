"""Coordinates that robots and clients put among the metrics. Pure."""

from typing import Any, Final

from croody_contract.explain import degrees_remedy
from croody_contract.messages import Refused

#: Names in the order of preference.
_LAT: Final = ("LAT", "lat")
_LNG: Final = ("LON", "lon", "lng", "LNG")
_ALT: Final = ("ALT", "alt")
#: The greatest absolute value, in degrees.
_MOST_LAT: Final = 90
_MOST_LNG: Final = 180
_NOWHERE: Final = (None, None, None)


def place_in(data: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude (degrees) and altitude (metres) when both coordinates are there as numbers and on Earth, else three None."""
    found = _both(data)
    if found is None:
        return _NOWHERE
    (_, lat), (_, lng) = found
    if abs(lat) > _MOST_LAT or abs(lng) > _MOST_LNG:
        return _NOWHERE
    alt = _find(data, _ALT)
    return lat, lng, alt[1] if alt is not None else None


def check_place(data: dict[str, Any]) -> None:
    """Tell who waits for an answer that what looks like a place is none.

    Raises:
        Refused: a coordinate that lies outside the Earth.
    """
    found = _both(data)
    if found is not None:
        for (name, value), most in zip(found, (_MOST_LAT, _MOST_LNG), strict=True):
            _check_degrees(name, value, most)


def _both(data: dict[str, Any]) -> tuple[tuple[str, float], tuple[str, float]] | None:
    """Both coordinates with their names, if both are there."""
    if "lat" not in data and "LAT" not in data:
        return None
    lat = _find(data, _LAT)
    lng = _find(data, _LNG) if lat is not None else None
    return (lat, lng) if lat is not None and lng is not None else None


def _find(data: dict[str, Any], names: tuple[str, ...]) -> tuple[str, float] | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return name, float(value)
    return None


def _check_degrees(name: str, value: float, most: int) -> None:
    if abs(value) > most:
        raise Refused(
            "out_of_range", f"data.{name}: {value:g} is no coordinate: it lies between -{most} and {most} degrees{degrees_remedy(value)}"
        )
