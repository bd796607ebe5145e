"""Says why bytes are no JSON, in the words of who sent them: what it is instead, where, and what to do. Pure; knows no payload.

A decoder tells a place in bytes. Who wrote `{'a': None}`, or a string with the zero that ends it in C, looks for that in vain.
"""

import json
import re
from collections.abc import Callable, Iterator
from math import isinf
from typing import Any, Final

#: How much is shown on either side of the place, bytes.
_AROUND: Final = 16
_AT_BYTE: Final = re.compile(r" \(byte (\d+)\)$")
_PYTHON: Final = re.compile(rb"[{\[,:]\s*(?:'|True\b|False\b|None\b)")
_NO_NUMBER: Final = re.compile(rb"[:\[,]\s*[-+]?(?:nan|inf|infinity)\b", re.IGNORECASE)
_HALF: Final = re.compile("[\ud800-\udfff]")
_SEND_PLAIN: Final = "send JSON in UTF-8"
#: What it is instead, and the remedy. In this order: the first that is so counts.
_INSTEAD: Final[tuple[tuple[Callable[[bytes], bool], str], ...]] = (
    (lambda body: not body.strip(), "is empty: send a JSON object"),
    (lambda body: body.startswith(b"\x1f\x8b"), "is packed with gzip, as only a batch over MQTT may be: send it unpacked"),
    (lambda body: body.startswith(b"\xef\xbb\xbf"), "begins with a byte order mark: send UTF-8 without one"),
    (lambda body: body.startswith((b"\xff\xfe", b"\xfe\xff")), "is UTF-16: send UTF-8"),
    (lambda body: body.endswith(b"\0"), "ends with a byte 0: send as many bytes as the text has, without what ends a string in C"),
    (lambda body: body.lstrip().startswith(b"<"), f"is a page (HTML or XML): {_SEND_PLAIN}"),
)


class Odd:
    """A number that JSON does not have, or that no 64-bit float holds, as it was written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def why_no_json(said: str, body: bytes) -> tuple[str, str]:
    """A reason word and a sentence (`FIELD: ...`) of a body that a decoder does not read and of which it `said` so."""
    if sentence := instead_of_json(body):
        return "bad_json", f"body: {sentence}"
    for path, found in odd_values(body):
        if isinstance(found, Odd):
            return "not_finite", f"{path}: {found.text} breaks the rule: JSON has no NaN or Infinity; leave it out instead"
        half = f"\\u{ord(found):04x}"
        return "surrogate", f"{path}: holds {half}, half of a surrogate pair, which is no character: send the whole one"
    if "truncated" in said:
        return (
            "bad_json",
            f"body: ends too early, after {len(body)} bytes, near {_shown(body[-_AROUND:])}: send one whole JSON object a message",
        )
    where = _excerpt(said, body)
    if _NO_NUMBER.search(body):
        return "not_finite", f"body: JSON has no NaN or Infinity; leave it out instead ({where})"
    if _PYTHON.search(body):
        return "bad_json", f"body: looks like Python's own writing: json.dumps writes JSON ({where})"
    if "trailing characters" in said:
        return "bad_json", f"body: goes on behind its end: send one JSON object a message ({where})"
    return "bad_json", f"body: {where}"


def instead_of_json(body: bytes) -> str:
    """What it is by its first or last bytes, and the remedy; empty where they say nothing."""
    return next((sentence for is_so, sentence in _INSTEAD if is_so(body)), "")


def odd_values(body: bytes) -> "Iterator[tuple[str, Odd | str]]":
    """What is odd in a body that a lenient reader reads: its path, and an `Odd` number or half of a surrogate pair. In any order."""
    try:
        waiting: list[tuple[str, Any]] = [("", _LENIENT.decode(body.decode("utf-8")))]
    except (ValueError, RecursionError):
        return
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Odd):
            yield path or "body", value
        elif isinstance(value, str):
            if half := _HALF.search(value):
                yield path or "body", half[0]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
        elif isinstance(value, dict):
            for name, inner in value.items():
                if half := _HALF.search(name):
                    yield f"{path} key".strip(), half[0]
                else:
                    waiting.append((f"{path}.{name}".removeprefix("."), inner))


def _float(text: str) -> float | Odd:
    value = float(text)
    return Odd(text) if isinf(value) else value


#: Whole numbers are none of its business, and Python counts long ones as an attack.
_LENIENT: Final = json.JSONDecoder(parse_float=_float, parse_constant=Odd, parse_int=lambda text: 0)


def _excerpt(said: str, body: bytes) -> str:
    """What a decoder said, and what stands where it looked."""
    found = _AT_BYTE.search(said)
    if found is None:
        return said
    at = int(found[1])
    return f"{said}, near {_shown(body[max(0, at - _AROUND) : at + _AROUND])}"


def _shown(part: bytes) -> str:
    return json.dumps(part.decode("utf-8", "backslashreplace"))[1:-1]
