"""What a device says -> values that a reading can carry. Pure: knows the contract's limits, no device.

A device that says nonsense costs the value, never the reading: what cannot be carried is left out.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Final

from croody_contract.limits import MAX_METRICS, MAX_NAME_CHARS, MAX_TEXT_CHARS
from croody_contract.messages import Position, Value
from croody_contract.printable import printable

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


def carried(value: object) -> Value | None:
    """The value as a reading carries it; None when it cannot: not finite, beyond 64 bits, empty, or neither number, text nor truth."""
    match value:
        case bool():
            return value
        case int():
            return value if _LEAST <= value <= _MOST else None
        case float():
            return value if isfinite(value) else None
        case str():
            return printable(value.strip("\x00 \r\n\t"))[:MAX_TEXT_CHARS] or None
        case _:
            return None


def number(value: object) -> float | None:
    """The value as a finite number, None where it is none. Truth is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None


def metrics(found: Mapping[str, object], digits: int = 6) -> dict[str, Value]:
    """What of `found` a reading can carry, floats rounded to `digits` behind the point; at most as many as a reading holds.

    Names are a device's words, too: what no text can hold is written out in them, and one that is too long then is left out.
    """
    data: dict[str, Value] = {}
    for said, raw in found.items():
        name, value = printable(said), carried(raw)
        if value is None or not 1 <= len(name) <= MAX_NAME_CHARS or len(data) >= MAX_METRICS:
            continue
        data[name] = round(value, digits) if isinstance(value, float) else value
    return data


def position(lat: object, lng: object, alt: object = None) -> Position | None:
    """Where that is on Earth, degrees and metres; None where it is nowhere. 0, 0 is what receivers say that know nothing."""
    north, east, up = number(lat), number(lng), number(alt)
    if north is None or east is None or not (-90 <= north <= 90 and -180 <= east <= 180) or (north == 0 and east == 0):
        return None
    return Position(round(north, 7), round(east, 7), None if up is None else round(up, 3))
