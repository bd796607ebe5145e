"""Variables of the environment, each also as `NAME_FILE`, and the rules that their values keep. Opens nothing but those files.

An empty value counts as absent. What breaks a rule raises ValueError; `Variables` says of which variable.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Final, TypeVar

_TRUE: Final = ("1", "true", "yes", "on", "si", "sí")
_FALSE: Final = ("0", "false", "no", "off")
#: Shown to nobody, not even when they break a rule.
_SECRET: Final = ("ROBOT_SECRET", "TG_INGEST_TOKEN")
_T = TypeVar("_T")
_N = TypeVar("_N", int, float)


class BadSetting(ValueError):
    """A variable that breaks a rule; the message names the variable, its value, the rule and the remedy."""


def variable(environ: Mapping[str, str], name: str) -> str | None:
    """A variable, or what the file that `NAME_FILE` names holds; None when absent or empty.

    Raises:
        BadSetting: both are set, or the file cannot be read.
    """
    value = environ.get(name) or None
    file = environ.get(f"{name}_FILE") or None
    if file is None:
        return value
    if value is not None:
        raise BadSetting(f"{name} and {name}_FILE are both set: keep one of them")
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeError) as error:
        raise BadSetting(f"{name}_FILE is {file!r}, which cannot be read ({error}): give the path of a readable text file") from error


class Variables:
    """Looks variables up, and turns what a rule says into a `BadSetting`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str, rule: Callable[[str], str] = str) -> str:
        """As it stands, if the rule lets it."""
        return self.of(name, rule, default)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        return self.of(name, lambda text: _between(_number(text), low, high), str(default))

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        return self.of(name, lambda text: _between(_whole(text), low, high), str(default))

    def of(self, name: str, rule: Callable[[str], _T], default: str) -> _T:
        """What the rule makes of the value.

        Raises:
            BadSetting: the rule refuses it.
        """
        value = variable(self._environ, name)
        try:
            return rule(default if value is None else value)
        except ValueError as error:
            shown = "a secret" if name in _SECRET else repr(value)
            raise BadSetting(f"{name} is {shown}: {error}") from error


def switch(text: str) -> bool:
    """On or off.

    Raises:
        ValueError: neither.
    """
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("it must be 1 or 0")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError("it must be a number, such as 2.5")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("it must be a whole number") from None


def _between(number: _N, low: float, high: float) -> _N:
    if not low <= number <= high:
        raise ValueError(f"it must lie between {low} and {high}")
    return number
