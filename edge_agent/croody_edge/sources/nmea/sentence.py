"""NMEA 0183: one sentence -> what it says of place and motion. Pure. Knows GGA, RMC, VTG, HDT and GSA of any talker."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from croody_contract.messages import Position

_KNOT_MPS: Final = 1852 / 3600


class Said(NamedTuple):
    """`position` is None where the sentence has none, or the receiver has no fix."""

    data: dict[str, Any]
    position: Position | None = None


class Torn(ValueError):
    """No sentence, or its checksum is wrong."""


def parse(line: str) -> Said | None:
    """What a sentence says; None when it is one that says nothing of what we want.

    Raises:
        Torn: it is damaged.
    """
    body, star, checksum = line.strip().partition("*")
    if not body.startswith(("$", "!")) or not body.isascii():
        raise Torn(line)
    if star:
        total = 0
        for char in body[1:]:
            total ^= ord(char)
        if checksum[:2].upper() != f"{total:02X}":
            raise Torn(line)
    words = body[1:].split(",")
    reads = _READS.get(words[0][2:])
    if reads is None:
        return None
    try:
        return reads(words)
    except (IndexError, ValueError) as error:
        raise Torn(line) from error


def _gga(words: Sequence[str]) -> Said:
    quality = int(words[6] or 0)
    data: dict[str, Any] = {"gnss_fix": quality}
    _put(data, "gnss_satellites", words[7], int)
    _put(data, "gnss_hdop", words[8], float)
    return Said(data, _position(words[2:6], words[9]) if quality else None)


def _rmc(words: Sequence[str]) -> Said:
    if words[2] != "A":
        return Said({})
    data: dict[str, Any] = {}
    _put(data, "speed_mps", words[7], lambda knots: round(float(knots) * _KNOT_MPS, 3))
    _put(data, "course_deg", words[8], float)
    return Said(data, _position(words[3:7], ""))


def _vtg(words: Sequence[str]) -> Said:
    data: dict[str, Any] = {}
    _put(data, "course_deg", words[1], float)
    _put(data, "speed_mps", words[5], lambda knots: round(float(knots) * _KNOT_MPS, 3))
    return Said(data)


def _hdt(words: Sequence[str]) -> Said:
    return Said({"heading_deg": float(words[1])} if words[1] else {})


def _gsa(words: Sequence[str]) -> Said:
    data: dict[str, Any] = {}
    _put(data, "gnss_pdop", words[15], float)
    return Said(data)


_READS: Final[dict[str, Callable[[Sequence[str]], Said]]] = {"GGA": _gga, "RMC": _rmc, "VTG": _vtg, "HDT": _hdt, "GSA": _gsa}


def _put(data: dict[str, Any], name: str, word: str, made: Callable[[str], Any]) -> None:
    if word:
        data[name] = made(word)


def _position(words: Sequence[str], high: str) -> Position | None:
    lat, north, lng, east = words
    if not lat or not lng:
        return None
    return Position(
        lat=_degrees(lat, 2) * (-1 if north == "S" else 1),
        lng=_degrees(lng, 3) * (-1 if east == "W" else 1),
        alt=float(high) if high else None,
    )


def _degrees(word: str, digits: int) -> float:
    """`0439.1234` -> 4 degrees and 39.1234 minutes."""
    minutes = float(word[digits:])
    if not 0 <= minutes < 60:
        raise ValueError(word)
    return round(int(word[:digits]) + minutes / 60, 7)
