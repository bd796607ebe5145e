"""Expressions over metrics: `motor_temp_c > 70 and abs(speed_mps) < 0.1`. Pure; no code of anybody's is ever run.

Values are ranges: a reading is one of no width, a minute's roll-up has its least and greatest, and what is not known has none. So one
evaluation says both whether something can be true and whether it can be false: of one reading at most one of them holds, of an hour both
may, and of what is not known both do.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import isfinite
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

#: Least and greatest; None: nothing is known.
Range = tuple[float, float] | None
Values = Mapping[str, Range]
#: Longest expression in characters, deepest nesting, and metrics that one may name.
LONGEST: Final = 300
DEEPEST: Final = 20
MOST_METRICS: Final = 6
_TOKEN: Final = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]{0,63})|(<=|>=|==|!=|[<>+\-*/(),]))")
_WORDS: Final = frozenset({"and", "or", "not", "abs", "min", "max"})


class BadExpression(ValueError):
    """A text that is no expression; says where, why and what to write."""


class Truth(NamedTuple):
    """Whether it can be true, and whether it can be false."""

    true: bool
    false: bool

    @property
    def surely(self) -> bool:
        """It is true."""
        return self.true and not self.false


UNKNOWN: Final = Truth(True, True)


class Number(ABC):
    """A part that is a number."""

    @abstractmethod
    def value(self, values: Values) -> Range:
        """Its range."""


class Condition(ABC):
    """A part that holds or does not."""

    @abstractmethod
    def holds(self, values: Values) -> Truth:
        """Whether it does."""


@dataclass(frozen=True, slots=True)
class Constant(Number):
    """A number as it is written."""

    number: float

    def value(self, values: Values) -> Range:
        """Itself."""
        return self.number, self.number


@dataclass(frozen=True, slots=True)
class Metric(Number):
    """What a robot measures."""

    name: str

    def value(self, values: Values) -> Range:
        """What is known of it."""
        return values.get(self.name)


@dataclass(frozen=True, slots=True)
class Calculated(Number):
    """`+ - * /`, `abs`, `min` or `max` of other numbers."""

    operator: str
    parts: tuple[Number, ...]

    def value(self, values: Values) -> Range:
        """From all corners of the ranges."""
        ranges = [part.value(values) for part in self.parts]
        known = [one for one in ranges if one is not None]
        if len(known) < len(ranges):
            return None
        if self.operator == "abs":
            low, high = known[0]
            return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
        if self.operator in {"min", "max"}:
            choose = min if self.operator == "min" else max
            return choose(low for low, _high in known), choose(high for _low, high in known)
        if self.operator == "/" and known[1][0] <= 0 <= known[1][1]:
            return None
        found = [_calculate(self.operator, left, right) for left, right in product(known[0], known[1])]
        return (min(found), max(found)) if all(map(isfinite, found)) else None


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """`<` and the others."""

    operator: str
    left: Number
    right: Number

    def holds(self, values: Values) -> Truth:
        """Whether some, and whether all of the ranges compare so."""
        left, right = self.left.value(values), self.right.value(values)
        if left is None or right is None:
            return UNKNOWN
        match self.operator:
            case "<":
                return Truth(left[0] < right[1], left[1] >= right[0])
            case "<=":
                return Truth(left[0] <= right[1], left[1] > right[0])
            case ">":
                return Truth(left[1] > right[0], left[0] <= right[1])
            case ">=":
                return Truth(left[1] >= right[0], left[0] < right[1])
        same = Truth(left[0] <= right[1] and right[0] <= left[1], not left[0] == left[1] == right[0] == right[1])
        return same if self.operator == "==" else Truth(same.false, same.true)


@dataclass(frozen=True, slots=True)
class Both(Condition):
    """`and`."""

    parts: tuple[Condition, ...]

    def holds(self, values: Values) -> Truth:
        """All of them."""
        found = [part.holds(values) for part in self.parts]
        return Truth(all(one.true for one in found), any(one.false for one in found))


@dataclass(frozen=True, slots=True)
class Either(Condition):
    """`or`."""

    parts: tuple[Condition, ...]

    def holds(self, values: Values) -> Truth:
        """One of them."""
        found = [part.holds(values) for part in self.parts]
        return Truth(any(one.true for one in found), all(one.false for one in found))


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """`not`."""

    part: Condition

    def holds(self, values: Values) -> Truth:
        """The other way round."""
        found = self.part.holds(values)
        return Truth(found.false, found.true)


@dataclass(frozen=True, slots=True)
class Within(Condition):
    """Whether a robot is inside an area of the plan. `points`: corners in metres."""

    points: tuple[tuple[float, float], ...]

    def holds(self, values: Values) -> Truth:
        """Of one position; of a range of them it is not known."""
        x, y = values.get("x_m"), values.get("y_m")
        if x is None or y is None or x[0] != x[1] or y[0] != y[1]:
            return UNKNOWN
        inside = _is_inside(x[0], y[0], self.points)
        return Truth(inside, not inside)


def parse(text: str) -> Condition:
    """The condition that a person wrote.

    Raises:
        BadExpression: too long, too deep, not of the grammar, a number where a condition is due, or too many metrics.
    """
    if not 0 < len(text.strip()) <= LONGEST:
        raise BadExpression(_("expresión: escribe de 1 a %(most)s caracteres") % {"most": LONGEST})
    reader = _Reader(_tokens(text))
    found = reader.either(0)
    if reader.at < len(reader.tokens):
        raise BadExpression(_("expresión: sobra %(what)r") % {"what": reader.tokens[reader.at]})
    if not isinstance(found, Condition):
        raise BadExpression(_("expresión: falta comparar, por ejemplo «motor_temp_c > 70»"))
    named = metrics_of(found)
    if not 0 < len(named) <= MOST_METRICS:
        raise BadExpression(_("expresión: nombra de 1 a %(most)s métricas; nombra %(count)s") % {"most": MOST_METRICS, "count": len(named)})
    return found


def metrics_of(part: Condition | Number) -> tuple[str, ...]:
    """The metrics that it names, each once, in their order."""
    match part:
        case Metric(name):
            return (name,)
        case Within():
            return ("x_m", "y_m")
        case Not(inner):
            return metrics_of(inner)
        case Comparison(_operator, left, right):
            parts: Sequence[Condition | Number] = (left, right)
        case Calculated(_operator, numbers):
            parts = numbers
        case Both(conditions) | Either(conditions):
            parts = conditions
        case _:
            return ()
    return tuple(dict.fromkeys(name for one in parts for name in metrics_of(one)))


def _tokens(text: str) -> list[str]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadExpression(_("expresión: no se entiende %(what)r en el carácter %(at)s") % {"what": text[at : at + 10], "at": at + 1})
        found.append(match[0].strip())
        at = match.end()
    return found


class _Reader:
    """Descends through: or, and, not, comparison, sum, product, sign, atom."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def either(self, depth: int) -> Condition | Number:
        if depth > DEEPEST:
            raise BadExpression(_("expresión: más de %(most)s paréntesis unos dentro de otros") % {"most": DEEPEST})
        return self._chain("or", Either, lambda: self._chain("and", Both, lambda: self._negation(depth)))

    def _chain(self, word: str, kind: type[Both] | type[Either], inner: Callable[[], Condition | Number]) -> Condition | Number:
        first = inner()
        if self._peek() != word:
            return first
        parts = [_condition(first, word)]
        while self._take(word):
            parts.append(_condition(inner(), word))
        return kind(tuple(parts))

    def _negation(self, depth: int) -> Condition | Number:
        count = 0
        while self._take("not"):
            count += 1
        found = self._comparison(depth)
        if not count:
            return found
        return Not(_condition(found, "not")) if count % 2 else _condition(found, "not")

    def _comparison(self, depth: int) -> Condition | Number:
        left = self._sum(depth)
        operator = self._peek()
        if operator not in {"<", "<=", ">", ">=", "==", "!="}:
            return left
        self.at += 1
        return Comparison(operator, _number(left, operator), _number(self._sum(depth), operator))

    def _sum(self, depth: int) -> Condition | Number:
        found = self._product(depth)
        while (operator := self._peek()) in {"+", "-"}:
            self.at += 1
            found = Calculated(operator, (_number(found, operator), _number(self._product(depth), operator)))
        return found

    def _product(self, depth: int) -> Condition | Number:
        found = self._signed(depth)
        while (operator := self._peek()) in {"*", "/"}:
            self.at += 1
            found = Calculated(operator, (_number(found, operator), _number(self._signed(depth), operator)))
        return found

    def _signed(self, depth: int) -> Condition | Number:
        minus = 0
        while self._take("-"):
            minus += 1
        found = self._atom(depth)
        return Calculated("-", (Constant(0.0), _number(found, "-"))) if minus % 2 else found

    def _atom(self, depth: int) -> Condition | Number:
        token = self._peek()
        if token == "":
            raise BadExpression(_("expresión: se acaba antes de tiempo"))
        self.at += 1
        if token == "(":
            found = self.either(depth + 1)
            self._close()
            return found
        if token in {"abs", "min", "max"}:
            return self._call(token, depth)
        if token[0].isdigit():
            number = float(token)
            if not isfinite(number):
                raise BadExpression(_("expresión: %(what)r es más grande que todo número: escribe uno menor") % {"what": token[:40]})
            return Constant(number)
        if token in _WORDS or not (token[0].isalpha() or token[0] == "_"):
            raise BadExpression(_("expresión: %(what)r no va ahí") % {"what": token})
        return Metric(token)

    def _call(self, name: str, depth: int) -> Number:
        if not self._take("("):
            raise BadExpression(_("expresión: %(what)s lleva paréntesis") % {"what": name})
        parts = [_number(self.either(depth + 1), name)]
        while self._take(","):
            parts.append(_number(self.either(depth + 1), name))
        self._close()
        if (len(parts) == 1) != (name == "abs"):
            raise BadExpression(_("expresión: abs lleva un número; min y max, dos o más"))
        return Calculated(name, tuple(parts))

    def _close(self) -> None:
        if not self._take(")"):
            raise BadExpression(_("expresión: falta cerrar un paréntesis"))

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self.at += 1
        return True


def _condition(part: Condition | Number, beside: str) -> Condition:
    if isinstance(part, Condition):
        return part
    raise BadExpression(_("expresión: junto a %(what)r va una comparación") % {"what": beside})


def _number(part: Condition | Number, beside: str) -> Number:
    if isinstance(part, Number):
        return part
    raise BadExpression(_("expresión: junto a %(what)r va un número") % {"what": beside})


def _calculate(operator: str, left: float, right: float) -> float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right


def _is_inside(x: float, y: float, points: Sequence[tuple[float, float]]) -> bool:
    inside = False
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside
