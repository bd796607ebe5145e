"""A line of text -> values by name, in one of four formats. Pure. What cannot be read in it is marked, and costs nothing else."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from croody_contract.limits import MAX_METRICS
from croody_edge.sources import NoValue, cells

#: Deepest object that is taken apart into names, and most values of one line: one too many for a reading, so that this is said.
_DEPTH = 4
_MOST = MAX_METRICS + 1


def pairs(line: str, separator: str, equals: str) -> dict[str, Any]:
    """`TEMP=23.5;HUM=60.2`."""
    found: dict[str, Any] = {}
    for part in line.split(separator)[:_MOST]:
        name, sign, value = part.strip().partition(equals)
        if sign and name.strip():
            found[name.strip()] = cell(value.strip())
        elif part.strip():
            found["line"] = NoValue(part)
    return found


def columns(line: str, separator: str, names: Sequence[str]) -> dict[str, Any]:
    """`23.5,60.2`: a value for each name, in order; an empty cell or an empty name is none."""
    parts = line.split(separator)
    if len(parts) != len(names):
        return {"line": NoValue(line)}
    return {name: cell(part.strip()) for name, part in zip(names, parts, strict=True) if name and part.strip()}


def groups(line: str, pattern: "re.Pattern[str]") -> dict[str, Any]:
    """The named groups of a regular expression."""
    match = pattern.search(line)
    if match is None:
        return {"line": NoValue(line)}
    return {name: cell(value.strip()) for name, value in match.groupdict().items() if value}


def document(line: str | bytes) -> dict[str, Any]:
    """A JSON object; what lies deeper gets a name of all its keys, `motor_temp` of `{"motor": {"temp": 1}}`."""
    try:
        whole = json.loads(line)
    except (ValueError, RecursionError):
        return {"line": NoValue(line)}
    return flat(whole) if isinstance(whole, dict) else {"line": NoValue(line)}


def flat(whole: Mapping[str, Any], prefix: str = "", depth: int = _DEPTH) -> dict[str, Any]:
    """Values by names; null is no value, and a list is marked."""
    found: dict[str, Any] = {}
    for key, value in whole.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            found |= flat(value, f"{name}_", depth - 1) if depth else {name: NoValue(value)}
        elif value is not None:
            found[name] = NoValue(value) if isinstance(value, list) else value
        if len(found) >= _MOST:
            break
    return found


def cell(text: str) -> Any:
    """A number, true or false, or text; marked when it is none of them."""
    try:
        return cells.value(text)
    except cells.LeftOut:
        return NoValue(text)
