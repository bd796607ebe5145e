"""Whether one object of a JSON body has a name twice: readers differ in which of the two they take, so it says two things. Pure.

Decoders keep the last one and say nothing. What hides behind it was seen by whoever takes the first: two who look at one reading must
not see two.
"""

import json
import re
from typing import Any, Final

#: Where what stands before `":` need not be a name as it is.
_ESCAPE_OR_SPACE: Final = re.compile(rb"\\|[ \t\n\r]:")
#: How much of a value is shown, in characters.
_MOST_SHOWN: Final = 40


class _Twice:
    """An object with a name twice: the name, and what stands under it first and last."""

    def __init__(self, name: str, first: Any, last: Any) -> None:
        self.name, self.first, self.last = name, first, last


def said_twice(raw: bytes) -> str:
    """A sentence (`FIELD: ...`) of the first name that stands twice in one object of valid JSON; empty where none does."""
    names = [before.rpartition(b'"')[2] for before in raw.split(b'":')[:-1]]
    if len(set(names)) == len(names) and not _ESCAPE_OR_SPACE.search(raw):
        return ""
    try:
        found = _path_of(_ONCE.decode(raw.decode("utf-8")))
    except (ValueError, RecursionError):
        return ""
    if found is None:
        return ""
    path, twice = found
    return f"{path}: stands twice in one object, as {_shown(twice.first)} and as {_shown(twice.last)}: send each name once"


def body_said_twice(raw: bytes) -> str:
    """The same of the names of the outermost object alone: what stands within it costs itself and not the whole."""
    try:
        found = _ONCE.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return ""
    return f"{found.name}: stands twice in the body: send each name once" if isinstance(found, _Twice) else ""


def _object(pairs: list[tuple[str, Any]]) -> Any:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            return _Twice(name, values[name], value)
        values[name] = value
    return values


def _path_of(value: Any, path: str = "") -> tuple[str, _Twice] | None:
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _Twice):
            return f"{path}.{value.name}".removeprefix("."), value
        if isinstance(value, dict):
            waiting += [(f"{path}.{name}", inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
    return None


def _shown(value: Any) -> str:
    if isinstance(value, dict | _Twice):
        return "an object"
    text = value if isinstance(value, _Written) else "a list" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


class _Written(str):
    """A number as it was written: Python counts long whole ones as an attack."""


_ONCE: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=_Written, parse_float=_Written)
