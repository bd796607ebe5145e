"""Says what a decoder found wrong so that the field, the value and the rule are named. Knows no payload of ours.

msgspec names the place by a path and keeps silent about the value, and in a dictionary about the key: both are looked up in what came.
"""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from croody_contract.limits import MAX_NESTING
from croody_contract.no_json import Odd, odd_values, why_no_json

#: How much of a value a sentence repeats, characters.
_MOST_SHOWN = 60
_PATH = re.compile(r"(?P<rule>.*) - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`", re.DOTALL)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`", re.DOTALL)
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,9})?")
#: Below so much a number of Unix time is in this unit, and a second has so many of it.
_UNITS = ((1e11, "seconds", 1.0), (1e14, "milliseconds", 1e3), (1e17, "microseconds", 1e6), (1e20, "nanoseconds", 1e9))
#: What the decoder says of an integer beyond 64 bits.
_BOUNDS = (f"`int` <= {2**63 - 1}", f"`int` >= {-(2**63)}")
#: What a pattern of the contract asks for, by how it begins and how long it lets a name be.
_LETTERS = {
    "^[a-z]": "lower-case letters, digits and '_', a letter first",
    "^[A-Za-z0-9_-]": "letters, digits, '_' and '-'",
}
_PATTERN = re.compile(r"expected `str` matching regex '(?P<class>\^\[[^]]+\])(?:\[[^]]+\])?\{(?P<least>\d+),(?P<most>\d+)\}.*'", re.DOTALL)
#: What has these fields and no others, by its place in a payload.
_FIELDS = {"position": "; a position has lat, lng and alt"}
#: Where degrees are, and from where on they are taken for scaled ones.
_DEGREES = frozenset({"lat", "lng"})
_SCALED = 1_000_000
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`", re.DOTALL)


class _Nowhere(Exception):
    """The path leads to nothing in what came."""


def explain(error: Exception, raw: bytes | msgspec.Raw, *, key_type: Any, value_type: Any, inner_type: Any = Any) -> tuple[str, str]:
    """A reason word and a sentence (`FIELD: ...`) for what msgspec said of `raw`.

    `key_type` and `value_type` are those of every dictionary in the payload; the values of one within another are of `inner_type`.
    """
    text = str(error)
    if isinstance(error, RecursionError):
        return "too_deep", f"body: nested deeper than {MAX_NESTING} levels"
    if isinstance(error, UnicodeError):
        return "bad_utf8", f"body: not valid UTF-8: {text}"
    if isinstance(error, msgspec.ValidationError):
        if "umber out of range" in text:
            return "out_of_range", _beyond(text, bytes(raw))
        if any(bound in text for bound in _BOUNDS):
            return (
                "out_of_range",
                f"{_sentence(text, bytes(raw), key_type, (value_type, inner_type))}: an integer must fit in 64 bits; send it as text",
            )
        return "bad_value", _sentence(text, bytes(raw), key_type, (value_type, inner_type))
    return why_no_json(text, bytes(raw))


def _beyond(text: str, raw: bytes) -> str:
    """Of a number that no 64-bit float holds."""
    found = next(((path, value.text) for path, value in odd_values(raw) if isinstance(value, Odd)), None)
    path, shown = found or (text.partition("$.")[2].strip("`") or "body", "a number")
    if len(shown) > _MOST_SHOWN:
        shown = f"{shown[:_MOST_SHOWN]}…"
    return f"{path}: {shown} breaks the rule: a number lies between -1.8e308 and 1.8e308; leave it out, or send it as text"


def _sentence(text: str, raw: bytes, key_type: Any, value_types: tuple[Any, Any]) -> str:
    match = _PATH.fullmatch(text)
    rule, path = (match["rule"], match["path"]) if match else (text, "")
    for pattern, verdict in (
        (_MISSING, "is missing and must be there"),
        (_UNKNOWN, f"there is no such field{_FIELDS.get(path.removeprefix('.'), '')}"),
    ):
        named = pattern.fullmatch(rule)
        if named:
            return f"{f'{path}.{named[1]}'.removeprefix('.')}: {verdict}"
    field = path.removeprefix(".") or "body"
    rule = _in_words(rule[:1].lower() + rule[1:])
    try:
        field, value = _look_up(path, msgspec.json.decode(raw), value_types)
        if match and match["key"]:
            field, value = f"{field} key", _first_bad(value, key_type)
        rule += _remedy(rule, field, value)
        shown = msgspec.json.encode(value).decode()
    except (_Nowhere, msgspec.MsgspecError, UnicodeError, RecursionError):
        return f"{field.removesuffix('[...]')}: {rule}"
    return f"{field}: {shown[:_MOST_SHOWN] + '…' if len(shown) > _MOST_SHOWN else shown} breaks the rule: {rule}"


def _in_words(rule: str) -> str:
    """A pattern says little to who wrote the value."""
    found = _PATTERN.fullmatch(rule)
    if found is None or found["class"] not in _LETTERS:
        return rule
    first = found["class"] == "^[a-z]"
    return f"use {int(found['least']) + first} to {int(found['most']) + first} {_LETTERS[found['class']]}"


def _remedy(rule: str, field: str, value: Any) -> str:
    """What is to be done, where that can be said."""
    if "datetime" in rule:
        return f": {time_remedy(value)}"
    if rule.startswith("expected `bool | int | float | str`"):
        return ": leave it out" if value is None else ": a value is one number, text or true/false; send a metric for each"
    if isinstance(value, int | float) and field.rpartition(".")[2] in _DEGREES:
        return degrees_remedy(value)
    return ""


def degrees_remedy(value: float) -> str:
    """Of a coordinate beyond the Earth: in which unit it looks to be; empty where none is known."""
    if abs(value) >= _SCALED:
        return ": it looks like degrees times 10,000,000, divide it"
    if abs(value) > 180 and abs(value) % 100 < 60 and value % 1:
        return ": it looks like degrees and minutes of NMEA (dddmm.mm), send degrees with decimals"
    return ""


def time_remedy(value: object) -> str:
    """How a time is to be written, said of one that is written otherwise; of a number, what it would be."""
    number = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if isinstance(number, int | float) and not isinstance(number, bool):
        for most, unit, a_second in _UNITS:
            if 1e8 * a_second < number < most:
                moment = datetime.fromtimestamp(int(number / a_second), UTC)
                return f"it looks like Unix {unit}, send it as text in ISO 8601 with its offset, here {moment:%Y-%m-%dT%H:%M:%SZ}"
    return "send ISO 8601 with its offset, such as 2026-11-24T10:00:00Z"


def _look_up(path: str, value: Any, value_types: tuple[Any, Any]) -> tuple[str, Any]:
    """The field's full name and what is there. A path names no key of a dictionary: the first one whose value does not fit is meant."""
    value_type, inner_type = value_types
    kinds = iter([dict[str, inner_type], inner_type] if path.count("[...]") > 1 else [value_type])  # type: ignore[valid-type]
    field = ""
    for name, index in _STEP.findall(path):
        key: Any = name or index
        if index == "..." and isinstance(value, dict):
            key = _first_bad_key(value, next(kinds, Any))
        elif index and isinstance(value, list):
            key = int(index)
        try:
            value = value[key]
        except (LookupError, TypeError) as error:
            raise _Nowhere from error
        field += f"[{key}]" if isinstance(key, int) else f".{key}"
    return field.removeprefix(".") or "body", value


def _first_bad_key(values: dict[str, Any], value_type: Any) -> str:
    for name, value in values.items():
        if not _fits(value, value_type):
            return name
    raise _Nowhere


def _first_bad(values: Any, kind: Any) -> Any:
    for value in values:
        if not _fits(value, kind):
            return value
    raise _Nowhere


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
