"""Numbers, ages and times as people read them, in both languages. Pure: the language and `now` are arguments.

The browser's `format.js` follows the same rules; a test holds both to one table.
"""

from datetime import datetime, timedelta
from math import floor, isfinite
from typing import Final

#: No-break space: between thousands in Spanish, and before a unit.
NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
_MONTHS: Final = {
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def number(value: float, decimals: int, language: str) -> str:
    """`1234.5` -> `1 234,5` in Spanish, `1,234.5` in English; half to even, a real minus sign, never `-0`."""
    if not isfinite(value):
        return "\u2014"
    point, group = (",", NBSP) if language == "es" else (".", ",")
    text = f"{abs(value):,.{decimals}f}"
    whole, _, part = text.partition(".")
    sign = MINUS if value < 0 and any(digit in "123456789" for digit in text) else ""
    return sign + whole.replace(",", group) + (point + part if part else "")


def with_unit(text: str, unit: str) -> str:
    """`61` and `%` -> `61 %`, on one line."""
    return f"{text}{NBSP}{unit}" if unit else text


def percent(part: int, whole: int, language: str) -> str:
    """Three decimals, cut and never rounded up: `100 %` is said only when nothing is missing."""
    if part >= whole:
        return with_unit("100", "%")
    return with_unit(number(floor(part / whole * 100_000) / 1000, 3, language), "%")


def age(seconds: float) -> str:
    """`12 s`, `12 min`, `4 h 12 min`, `3 d`. The same in both languages."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}{NBSP}s"
    if whole < 3600:
        return f"{whole // 60}{NBSP}min"
    if whole < 86400:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return f"{hours}{NBSP}h" + (f" {minutes}{NBSP}min" if minutes else "")
    return f"{whole // 86400}{NBSP}d"


def age_of(since: datetime, now: datetime) -> str:
    """Age of something that happened at `since`."""
    return age((now - since) / timedelta(seconds=1))


def moment(at: datetime, language: str) -> str:
    """`24 nov 2026, 03:12 UTC`; the browser puts the reader's own time in its place."""
    return f"{at.day} {_MONTHS[language][at.month - 1]} {at.year}, {at:%H:%M} UTC"
