"""A cell of a recording -> a value of a reading, or why it has none. Pure: knows the contract's limits, no file."""

import re
from typing import Final

from croody_contract.limits import MAX_TEXT_CHARS
from croody_contract.messages import Value

#: A number begins with no zero before another digit: `00123` is a name, and stays one.
_WHOLE: Final = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_BROKEN: Final = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
#: Words that programs write where there is no number.
_NO_NUMBER: Final = frozenset({"nan", "+nan", "-nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
#: More digits than any 64-bit integer has.
_DIGITS: Final = 20


class LeftOut(ValueError):
    """A cell that no reading can carry; the key of the text that says why."""


def value(cell: str) -> Value:
    """What the cell says: true or false, a number, or text.

    Raises:
        LeftOut: no finite number, or one beyond 64 bits, or a text that is too long or holds what no database stores.
    """
    if cell in ("true", "false"):
        return cell == "true"
    if cell.lower() in _NO_NUMBER:
        raise LeftOut("cell.no_number")
    if _WHOLE.fullmatch(cell):
        if len(cell) > _DIGITS or not _LEAST <= int(cell) <= _MOST:
            raise LeftOut("cell.too_large")
        return int(cell)
    if _BROKEN.fullmatch(cell):
        number = float(cell)
        if number in (float("inf"), float("-inf")):
            raise LeftOut("cell.too_large")
        return number
    if len(cell) > MAX_TEXT_CHARS or "\x00" in cell:
        raise LeftOut("cell.bad_text")
    return cell
