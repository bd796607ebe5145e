"""Whether a robot is in the middle of something, from what it says of itself. Pure."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from croody_contract.messages import Value
from croody_edge.texts import text

#: Who said that it moves and says nothing any more is left alone for so long, seconds: it may still move. Not for ever: what keeps it
#: from speaking may be what the update mends.
SILENT_S: Final = 600.0
#: Conditions in one setting.
MOST: Final = 16
_FORM: Final = re.compile(r"\s*([A-Za-z0-9_.-]{1,64})\s*(>=|<=|!=|=|>|<)\s*([^,<>=!]{1,64}?)\s*")
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """`speed_mps>0.05`: a robot for which it holds is busy. A number is compared as one, a word with `=` and `!=`."""

    metric: str
    sign: str
    wanted: float | str

    def holds(self, value: Value) -> bool:
        """Say whether a value of the metric fulfils it; a word is no number and fulfils only `!=` of one."""
        if isinstance(self.wanted, str):
            return (str(value) == self.wanted) == (self.sign == "=")
        if isinstance(value, str):
            return self.sign == "!="
        return _COMPARE[self.sign](float(value), self.wanted)


def conditions(written: str) -> tuple[Condition, ...]:
    """Read `speed_mps>0.05, status=moving`: metric, sign and value, with commas between; none when empty.

    Raises:
        ValueError: one cannot be read, or there are too many; says which, and what one looks like.
    """
    parts = [part for part in written.split(",") if part.strip()]
    if len(parts) > MOST:
        raise ValueError(text("rule.conditions", most=MOST))
    return tuple(_condition(part) for part in parts)


def _condition(part: str) -> Condition:
    found = _FORM.fullmatch(part)
    if found is None:
        raise ValueError(text("rule.condition", part=repr(part.strip())))
    metric, sign, value = found.groups()
    try:
        return Condition(metric, sign, float(value))
    except ValueError:
        if sign not in ("=", "!="):
            raise ValueError(text("rule.condition", part=repr(part.strip()))) from None
    return Condition(metric, sign, value)


class Busy:
    """What each condition last said, and when."""

    def __init__(self, conditions: Sequence[Condition], *, rest_s: float, silent_s: float = SILENT_S) -> None:
        """Args: a robot is busy for `rest_s` seconds after it was last seen so, and for `silent_s` when it says nothing after that."""
        self._conditions = tuple(conditions)
        self._rest_s, self._silent_s = rest_s, silent_s
        #: Condition -> until when what it said counts, seconds of a clock that never jumps.
        self._until_s: dict[Condition, float] = {}
        self._last_s: dict[Condition, float] = {}

    def saw(self, said: Mapping[str, Value], mono_s: float) -> None:
        """Take in one reading; a metric that is not in it says nothing new.

        Args:
            said: metric -> value.
            mono_s: seconds of a clock that never jumps.
        """
        for condition in self._conditions:
            if condition.metric not in said:
                continue
            if condition.holds(said[condition.metric]):
                self._last_s[condition] = mono_s
                self._until_s[condition] = mono_s + max(self._silent_s, self._rest_s)
            elif condition in self._last_s:
                self._until_s[condition] = self._last_s[condition] + self._rest_s

    def at(self, mono_s: float) -> bool:
        """Say whether the robot is to be left alone at this moment."""
        return any(mono_s < until_s for until_s in self._until_s.values())
