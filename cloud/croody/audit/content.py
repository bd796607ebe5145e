"""What of a thing's values is written down: nothing that lets anybody in, nothing that fills the disk. Pure."""

from collections.abc import Mapping
from typing import Any, Final

#: Fields of one entry, and characters of one text, that are kept.
MOST_FIELDS: Final = 40
MOST_CHARS: Final = 200
#: Items of one list that are kept.
_MOST_ITEMS: Final = 40
HIDDEN: Final = "***"
_SECRET: Final = ("secret", "password", "passwd", "sha256", "hash", "api_key", "private", "recovery", "totp", "otp_")


def clean(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """`values` as JSON that is short and holds no secret: what is called like one is hidden, whatever it is."""
    found = list((values or {}).items())[:MOST_FIELDS]
    return {text(name, 64): HIDDEN if _is_secret(name) else _value(value) for name, value in found}


def text(value: object, most: int = MOST_CHARS) -> str:
    """As text that any database stores, at most so many characters."""
    whole = str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {text(name, 64): HIDDEN if _is_secret(name) else _leaf(one) for name, one in list(value.items())[:MOST_FIELDS]}
    if isinstance(value, list | tuple | set | frozenset):
        # A set has no order of its own, and two entries of the same act are to look the same.
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
        return [_leaf(one) for one in items[:_MOST_ITEMS]]
    return _leaf(value)


def _leaf(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else text(value)


def _is_secret(name: object) -> bool:
    lower = str(name).lower()
    return any(word in lower for word in _SECRET)
