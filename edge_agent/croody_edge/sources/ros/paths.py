"""A place in a message -> the value there. Pure; knows objects with attributes, dictionaries and sequences."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

_STEP: Final = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d{1,6})\]")
Steps = tuple[str | int, ...]


@cache
def steps(path: str) -> Steps:
    """`pose.position.x`, `ranges[0]` -> names and indexes.

    Raises:
        ValueError: no such path.
    """
    found: list[str | int] = []
    end = 0
    for match in _STEP.finditer(path):
        if match.start() != end:
            break
        end = match.end()
        found.append(match[1] if match[1] is not None else int(match[2]))
    if not found or end != len(path) or path.startswith("."):
        raise ValueError(path)
    return tuple(found)


def at(message: Any, path: str) -> Any:
    """What lies there; None when nothing does. A number of an array is a plain number."""
    for step in steps(path):
        try:
            inside = isinstance(step, int) or isinstance(message, dict)
            message = message[step] if inside else getattr(message, str(step))
        except (AttributeError, IndexError, KeyError, TypeError):
            return None
    return plain(message)


def plain(value: Any) -> Any:
    """A numpy scalar as Python's; anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def items(message: Any, path: str) -> Iterator[Any]:
    """What a sequence holds; nothing when there is none."""
    found = at(message, path)
    return iter(found if isinstance(found, list | tuple) else ())
