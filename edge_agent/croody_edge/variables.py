"""Variables of the environment, each also as `NAME_FILE`, and the rules that their values keep. Opens nothing but those files.

An empty value counts as absent. What breaks a rule raises ValueError; `Variables` says of which variable.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Final, TypeVar

from croody_edge.texts import text

_TRUE: Final = ("1", "true", "yes", "on", "si", "sí")
_FALSE: Final = ("0", "false", "no", "off")
#: Shown to nobody, not even when they break a rule.
_SECRET: Final = ("ROBOT_SECRET", "TG_INGEST_TOKEN", "CROODY_STATUS_TOKEN", "CROODY_HOME_ASSISTANT_PASSWORD")
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
        raise BadSetting(text("setting.twice", name=name))
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeError) as error:
        raise BadSetting(text("setting.unreadable", name=name, file=repr(file), error=error)) from error


class Variables:
    """Looks variables up, and turns what a rule says into a `BadSetting`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str, rule: Callable[[str], str] = str) -> str:
        """As it stands, if the rule lets it."""
        return self.of(name, rule, default)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        return self.of(name, lambda value: _between(_number(value), low, high), str(default))

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        return self.of(name, lambda value: _between(_whole(value), low, high), str(default))

    def of(self, name: str, rule: Callable[[str], _T], default: str) -> _T:
        """What the rule makes of the value.

        Raises:
            BadSetting: the rule refuses it.
        """
        value = variable(self._environ, name)
        try:
            return rule(default if value is None else value)
        except ValueError as error:
            shown = text("setting.secret") if name in _SECRET else repr(value)
            raise BadSetting(text("setting.rule", name=name, value=shown, rule=error)) from error


def switch(value: str) -> bool:
    """On or off.

    Raises:
        ValueError: neither.
    """
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ValueError(text("rule.switch"))


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError(text("rule.number"))
    return number


def _whole(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(text("rule.whole")) from None


def _between(number: _N, low: float, high: float) -> _N:
    if not low <= number <= high:
        raise ValueError(text("rule.between", low=low, high=high))
    return number
