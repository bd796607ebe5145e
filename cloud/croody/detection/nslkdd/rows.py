"""A request's bytes to complete rows: what is missing is filled in and counted, what is unknown is named, what is wrong is refused.

Pure; knows the features' rules, neither the model nor HTTP.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from croody.detection.nslkdd.features import BY_NAME, LONGEST_WORD, NAMES, WORDS, BadFeature, check
from croody_contract.limits import MAX_NESTING
from croody_contract.no_json import Odd, odd_values, why_no_json

MAX_ROWS: Final = 10_000
#: So many full rows, of which each is about 1,200 bytes of JSON. The gateway lets as much through.
MAX_BYTES: Final = 12 * 1024 * 1024
#: Names listed in an answer: a caller who sends thousands of odd ones learns enough from these.
MAX_NAMED: Final = 100


class BadRequest(ValueError):
    """The body breaks a rule; the text says where, which value and which rule."""


class _Body(msgspec.Struct):
    rows: list[dict[str, Any]]


_decoder = msgspec.json.Decoder(_Body)


@dataclass(slots=True)
class Rows:
    """Complete rows in the order they came, and what had to be done to them."""

    complete: list[Mapping[str, float | str]] = field(default_factory=list)
    #: Features that each row brought itself.
    given: list[set[str]] = field(default_factory=list)
    #: Feature -> rows in which it was filled in.
    imputed: Counter[str] = field(default_factory=Counter)
    #: Names that are not features -> rows that had them.
    ignored: Counter[str] = field(default_factory=Counter)
    #: Category -> words that training never saw, at most `MAX_NAMED` each.
    unknown_words: dict[str, list[str]] = field(default_factory=dict)


def decode(body: bytes) -> list[dict[str, Any]]:
    """The rows of a request body, each still as it came.

    Raises:
        BadRequest: no JSON, NaN or Infinity, nested too deeply, no `rows`, or too few or too many of them.
    """
    try:
        rows = _decoder.decode(body).rows
    except RecursionError as error:
        raise BadRequest(f"body: nested deeper than {MAX_NESTING} levels: rows hold plain values") from error
    except UnicodeError as error:
        raise BadRequest(f"body: not valid UTF-8 ({error})") from error
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            odd = next((f"{path}: {value.text}" for path, value in odd_values(body) if isinstance(value, Odd)), "body: a number")
            raise BadRequest(f"{odd[:100]} is larger than any number: leave the feature out") from error
        raise BadRequest(f'body: {error}: send {{"rows": [{{feature: value, ...}}, ...]}}') from error
    except msgspec.DecodeError as error:
        raise BadRequest(why_no_json(str(error), body)[1]) from error
    if not 1 <= len(rows) <= MAX_ROWS:
        raise BadRequest(f"rows: {len(rows)} of them, must be 1 to {MAX_ROWS}: send several requests")
    return rows


def complete(raw: list[dict[str, Any]], imputed: Mapping[str, float | str], vocabulary: Mapping[str, list[str]]) -> Rows:
    """Check every value and fill in what is missing (absent, null, or a word that training never saw) from `imputed`.

    Raises:
        BadRequest: the first value that breaks its feature's rule, with its row.
    """
    out = Rows()
    known = {name: set(vocabulary[name]) for name in WORDS}
    for index, row in enumerate(raw):
        values = dict(imputed)
        given: set[str] = set()
        for name, value in row.items():
            _plain(index, name, value)
            if name not in BY_NAME:
                _count(out.ignored, name)
                continue
            try:
                checked = check(name, value)
            except BadFeature as error:
                raise BadRequest(f"rows[{index}].{error}") from error
            if checked is None:
                continue
            if name in known and checked not in known[name]:
                # That training never saw a word is no sign of an attack: the model was never asked about it.
                _note_word(out.unknown_words.setdefault(name, []), str(checked))
                continue
            values[name] = checked
            given.add(name)
        out.complete.append(values)
        out.given.append(given)
        out.imputed.update(name for name in NAMES if name not in given)
    return out


def _plain(index: int, name: str, value: object) -> None:
    """Also for a name that is not a feature: nothing nested, no NUL, nothing that cannot be said again."""
    if "\x00" in name or (isinstance(value, str) and "\x00" in value):
        raise BadRequest(f"rows[{index}].{name[:LONGEST_WORD]!r}: holds the character U+0000: remove it")
    if isinstance(value, list | dict):
        raise BadRequest(f"rows[{index}].{name[:LONGEST_WORD]}: a nested value; a row holds numbers and text")


def _count(ignored: Counter[str], name: str) -> None:
    short = name[:LONGEST_WORD]
    if short in ignored or len(ignored) < MAX_NAMED:
        ignored[short] += 1


def _note_word(words: list[str], word: str) -> None:
    if word not in words and len(words) < MAX_NAMED:
        words.append(word)
