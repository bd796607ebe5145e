"""The kinds of alarms: what a kind is, and the table of them. Names no kind itself: each app declares its own at its start.

Pure but for translation. A sentence is made of an alarm's detail, in the language that is active.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from croody.web import formats

Detail = Mapping[str, Any]
Sentence = Callable[[Detail, str], str]
Text = str | Promise
#: Longest code: that of a robot's event (`croody_contract.messages.Event`).
MAX_CODE_CHARS: Final = 64
_CODE: Final = re.compile(rf"[a-z][a-z0-9_]{{1,{MAX_CODE_CHARS - 1}}}")
#: Severity -> its word. The order is the order of a list: the worst first.
SEVERITIES: Final[Mapping[str, Text]] = {
    "critical": gettext_lazy("Crítica"),
    "high": gettext_lazy("Alta"),
    "medium": gettext_lazy("Media"),
    "low": gettext_lazy("Baja"),
}


class End(StrEnum):
    """How an open alarm may end, beside the time that its kind names."""

    CAUSE = "cause"
    """What raised it sees that it is over."""
    PERSON = "person"
    """Somebody has dealt with it. Never of a kind that would be raised again a moment later, because what it tells still holds."""


@dataclass(frozen=True, slots=True)
class Together:
    """What a kind says of many robots that it befell in one minute.

    Args:
        sentence: how many, and the language of numbers -> what is wrong and what to do, in one line.
        cause: what such robots share that may have failed.
        remedy: where a person begins to look.
    """

    sentence: Callable[[int, str], str]
    cause: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of alarm in both languages.

    Args:
        code: how it is called in the database and the API.
        severity: where who raises it knows no better.
        title: what is wrong, in a few words.
        cause: how it comes to that.
        remedy: what a person does about it.
        sentence: an alarm's detail and the language of numbers -> what is wrong and what to do, in one line.
        ends: how it may end.
        after: without news for so long it is over.
        together: what it says of many robots at once; None: its title, and the cause and remedy of one.

    Raises:
        ValueError: a severity that is none, or a kind that never ends.
    """

    code: str
    severity: str
    title: Text
    cause: Text
    remedy: Text
    sentence: Sentence
    ends: frozenset[End] = frozenset()
    after: timedelta | None = None
    together: Together | None = None

    def __post_init__(self) -> None:
        check_severity(self.severity)
        if not self.ends and self.after is None:
            raise ValueError(f"kind {self.code}: never ends: say in `ends` or `after` what closes it")


#: What a robot says in a word that nobody declared -> its kind.
Robots = Callable[[str], Kind]
_kinds: dict[str, Kind] = {}
_robots: list[Robots] = []


def register(*kinds: Kind) -> None:
    """Declare kinds: each app its own, at its start.

    Raises:
        ValueError: a code that breaks the rule, or that another kind has.
    """
    for kind in kinds:
        check_code(kind.code)
        known = _kinds.setdefault(kind.code, kind)
        if known is not kind:
            raise ValueError(f"kind {kind.code}: is declared already: choose another code")


def register_robots(robots: Robots) -> None:
    """Say what an alarm is like that a robot names with a word of its own: telemetry, at its start."""
    _robots[:] = [robots]


def declared(code: str) -> Kind:
    """The kind of this code.

    Raises:
        ValueError: nobody declared it.
    """
    kind = _kinds.get(code)
    if kind is None:
        raise ValueError(
            f"kind {code[:80]!r}: nobody declared it: write a `Kind` in the kinds.py of its app, which registers it at its start"
        )
    return kind


def is_declared(code: str) -> bool:
    """Say whether some app declared a kind of this code."""
    return code in _kinds


def find(code: str) -> Kind:
    """The kind of a row: a declared one, else a robot's own word."""
    return _kinds.get(code) or _robots[0](code)


def all_declared() -> tuple[Kind, ...]:
    """Every kind that was declared, by its code."""
    return tuple(_kinds[code] for code in sorted(_kinds))


def check_code(code: str) -> None:
    """Hold a code to its rule: it is never cut, for two codes would become one alarm.

    Raises:
        ValueError: it breaks it.
    """
    if not _CODE.fullmatch(code):
        raise ValueError(f"kind {code[:80]!r}: use 2 to {MAX_CODE_CHARS} lower-case letters, digits or '_', a letter first")


def check_severity(severity: str) -> None:
    """Hold a severity to its words.

    Raises:
        ValueError: it is none of them.
    """
    if severity not in SEVERITIES:
        raise ValueError(f"severity {severity!r}: use one of {', '.join(list(SEVERITIES)[::-1])}")


def worse_than(severity: str) -> list[str]:
    """Severities that are worse."""
    names = list(SEVERITIES)
    return names[: names.index(severity)]


def worst(*severities: str) -> str:
    """The worst of them; a word that is none counts least."""
    names = list(SEVERITIES)
    return min(severities, key=lambda severity: names.index(severity) if severity in names else len(names))


def plain(text: Text) -> Sentence:
    """A sentence that no detail changes."""
    return lambda detail, language: str(text)


def count(detail: Detail, name: str) -> int:
    """A number of things in a detail; 0 for anything else: robots write details too."""
    value = detail.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def whole(value: float, language: str) -> str:
    """A number without decimals."""
    return formats.number(value, 0, language)
