"""Numbers as people write them: `1.5`, `1,5`, `1 500`, `1,234.5`. What may be two numbers (`1,500`) is refused and both are named. Pure."""

import re
from math import inf, isfinite
from typing import Any, Final

from django.utils.translation import gettext as _

_LONGEST: Final = 40
#: Between thousands: spaces, apostrophes, and whichever of `.` and `,` is not the decimal mark.
_GROUPED: Final = re.compile(
    r"[+-]?[1-9]\d{0,2}(?:(?:([ \u00a0\u202f'\u2019])\d{3}(?:\1\d{3})*)(?:[.,]\d+)?|([.,])\d{3}(?:(?:\2\d{3})+|(?:\2\d{3})*(?!\2)[.,]\d+))",
    re.ASCII,
)
_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TWO: Final = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_MARKS: Final = str.maketrans("", "", " \u00a0\u202f'\u2019.,")


class BadDecimal(ValueError):
    """A text that is no number, or may be two. Names the value, the rule and the remedy in the reader's language."""


def read(text: Any, least: float = -inf, most: float = inf) -> float:
    """The one number that `text` can be.

    Args:
        least, most: what makes sense here, in the field's unit. Where only one of two readings does, it is the one that was meant;
            a single reading beyond them is returned as it is.

    Raises:
        BadDecimal: it is no number, is not finite, or is two: `1,500` is fifteen hundred to some, one and a half to others.
    """
    plain = str(text).strip().replace("\N{MINUS SIGN}", "-")
    if _TWO.fullmatch(plain):
        return _one_of_two(plain, least, most)
    if _GROUPED.fullmatch(plain):
        last = plain.rfind(".") if plain.rfind(".") > plain.rfind(",") else plain.rfind(",")
        alone = last >= 0 and plain.count(plain[last]) == 1
        plain = f"{plain[:last].translate(_MARKS)}.{plain[last + 1 :]}" if alone else plain.translate(_MARKS)
    elif not _PLAIN.fullmatch(plain):
        raise _none(text)
    number = float(plain.replace(",", "."))
    if not isfinite(number):
        raise _none(text)
    return number


def whole(text: Any) -> int:
    """The one whole number that `text` can be.

    Raises:
        BadDecimal: as `read`, or it has a part.
    """
    number = read(text)
    if number != int(number):
        raise BadDecimal(_("«%(value)s»: escribe un número entero") % {"value": str(text).strip()[:_LONGEST]})
    return int(number)


def stored(raw: Any) -> float:
    """What the database keeps, also as it was written before `read` was asked: `,` and `.` are both the decimal mark.

    Raises:
        BadDecimal: it is no finite number.
    """
    try:
        number = float(str(raw).strip().replace(",", ".").replace("\N{MINUS SIGN}", "-"))
    except ValueError as error:
        raise _none(raw) from error
    if not isfinite(number):
        raise _none(raw)
    return number


def written(number: float) -> str:
    """Every digit, as `read` takes it back: `1500`, `1.5`, and `1.1250`, which cannot be a thousand."""
    text = repr(float(number)).removesuffix(".0")
    return f"{text}0" if _TWO.fullmatch(text) else text


def _one_of_two(plain: str, least: float, most: float) -> float:
    thousands, part = plain.translate(_MARKS), float(plain.replace(",", "."))
    fit = [number for number in (part, float(thousands)) if least <= number <= most]
    if len(fit) == 2:
        mark = "," if "," in plain else "."
        told = {"value": plain, "thousands": thousands.removeprefix("+"), "part": written(part).replace(".", mark)}
        raise BadDecimal(_("«%(value)s» puede ser %(thousands)s o %(part)s: escribe uno de los dos así") % told)
    return fit[0] if fit else part


def _none(text: Any) -> BadDecimal:
    return BadDecimal(_("«%(value)s» no es un número: escribe uno, por ejemplo 80") % {"value": str(text or "").strip()[:_LONGEST]})
