"""What an address asks for, and the address that asks for it. Pure.

What a value cannot mean is left out, so that an old link still shows something.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

_T = TypeVar("_T")
#: Nobody types more than this.
LONGEST: Final = 64
#: Whatever they are, such a number fits the ids of a database.
_DIGITS: Final = 18


def typed(query: Mapping[str, str], name: str, most: int = LONGEST) -> str:
    """What somebody typed under this name, without U+0000, which PostgreSQL does not take."""
    return query.get(name, "").replace("\x00", "").strip()[:most]


def whole(text: str, digits: int = _DIGITS) -> int | None:
    """A whole number of so many digits at most; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def page_number(text: str) -> int:
    """Which page, from 1."""
    return whole(text, 5) or 1


def query_of(parts: Mapping[str, Any]) -> str:
    """`?site=bodega&page=2`, without what is empty."""
    return "?" + urlencode({name: value for name, value in parts.items() if value})


def page_count(count: int, size: int) -> int:
    """How many pages of this size so many rows make: one at least."""
    return max(1, -(-count // size))


def page_of(rows: Sequence[_T], number: int, size: int) -> tuple[Sequence[_T], int, int]:
    """The rows of a page, its number and how many there are; the last page where there are fewer."""
    most = page_count(len(rows), size)
    number = min(number, most)
    return rows[(number - 1) * size : number * size], number, most
