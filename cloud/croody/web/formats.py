"""Numbers, ages and times as people read them, in both languages. Pure: the language and `now` are arguments.

The browser makes no number: it places the texts that are made here, and only goes on counting ages (`ages.js`, held to `age` by a test).
"""

from datetime import datetime, timedelta
from math import floor, isfinite
from typing import Any, Final

#: No-break space: between thousands in Spanish, and before a unit.
NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
#: What was never seen.
NEVER: Final = "\u2014"
#: From here on digits say nothing: a double does not hold them all, and sensors say "no value" with the largest one there is.
_LONG: Final = 1e15
#: A text longer than this is cut where it stands in a row, in characters.
LONGEST: Final = 80
_MONTHS: Final = {
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def number(value: float, decimals: int, language: str) -> str:
    """`1234.5` -> `1 234,5` in Spanish, `1,234.5` in English; half to even, a real minus sign, never `-0`. From 1e15 on `1,8e308`."""
    if not isfinite(value):
        return NEVER
    point, group = (",", NBSP) if language == "es" else (".", ",")
    if abs(value) >= _LONG:
        return f"{value:.1e}".replace("e+", "e").replace(".", point).replace("-", MINUS)
    text = f"{abs(value):,.{decimals}f}"
    whole, _, part = text.partition(".")
    sign = MINUS if value < 0 and any(digit in "123456789" for digit in text) else ""
    return sign + whole.replace(",", group) + (point + part if part else "")


#: The numbers that a sentence says in letters. A robot is masculine in Spanish.
_COUNTED: Final = {
    "es": ("Ningún", "Un", "Dos", "Tres", "Cuatro", "Cinco", "Seis", "Siete", "Ocho", "Nueve"),
    "en": ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"),
}


def counted(count: int, language: str) -> str:
    """A number of masculine things that begins a sentence: `Siete` up to nine, `12` from there."""
    words = _COUNTED[language]
    return words[count] if 0 <= count < len(words) else number(count, 0, language)


def value(raw: Any, decimals: int | None, language: str, *, factor: float = 1.0, offset: float = 0.0, yes: str = "", no: str = "") -> str:
    """Whatever a robot said, as text without its unit: the one place that knows how. `decimals` None: nobody knows how exact it is."""
    if raw is None:
        return NEVER
    if isinstance(raw, bool):
        return yes if raw else no
    if not isinstance(raw, int | float):
        text = str(raw)
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"
    try:
        scaled = float(raw) * factor + offset
    except OverflowError:
        return NEVER
    if decimals is None:
        decimals = 0 if isinstance(raw, int) or (isfinite(scaled) and scaled == round(scaled) and factor == 1.0) else 2
    return number(scaled, decimals, language)


def with_unit(text: str, unit: str) -> str:
    """`61` and `%` -> `61 %`, on one line."""
    return f"{text}{NBSP}{unit}" if unit else text


def percent(part: int, whole: int, language: str) -> str:
    """Three decimals, cut and never rounded up: `100 %` is said only when nothing is missing."""
    if part >= whole:
        return with_unit("100", "%")
    return with_unit(number(floor(part / whole * 100_000) / 1000, 3, language), "%")


def share(part: float, language: str) -> str:
    """A share of 1 as `100 %`, `0 %`, else with one decimal."""
    return with_unit(number(100 * part, 0 if part in (0.0, 1.0) else 1, language), "%")


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


def months(language: str) -> str:
    """The names of the months, for the browser, which alone knows the reader's zone."""
    return " ".join(_MONTHS[language])


def moment(at: datetime, language: str) -> str:
    """`24 nov 2026, 03:12 UTC`; the browser puts the reader's own time in its place."""
    return f"{at.day} {_MONTHS[language][at.month - 1]} {at.year}, {at:%H:%M} UTC"


def brief(at: datetime, language: str) -> str:
    """`24 nov 03:12` in UTC, where there is little room."""
    return f"{at.day} {_MONTHS[language][at.month - 1]} {at:%H:%M}"
