"""What a rule asks, read from what a person wrote: a condition that raises it, one that ends it, and for how long it must hold. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.notices import grammar
from croody.notices.grammar import BadExpression, Comparison, Condition, Constant, Metric, Not, Within
from croody.web import decimals

#: How a change is called among the values of an expression.
CHANGE: Final = "\u0394"
#: Longest time that a condition must hold, that nothing comes, and over which a change is measured, in seconds.
LONGEST_S: Final = 86_400
LEAST_SILENCE_S: Final = 60
LEAST_WINDOW_S: Final = 60
_CORNERS: Final = (3, 50)
_FURTHEST: Final = 1e9
#: How the fields of numbers are called, where something is wrong with one.
NAMES: Final[Mapping[str, str | Promise]] = {
    "limit": gettext_lazy("límite"),
    "hysteresis": gettext_lazy("histéresis"),
    "window_s": gettext_lazy("medido en"),
    "silence_s": gettext_lazy("silencio"),
    "for_s": gettext_lazy("durante"),
    "after_min": gettext_lazy("esperar"),
}

_T = TypeVar("_T")


class BadRule(ValueError):
    """A rule that says nothing one could hold a robot to. `field`: where; the text names the value, the rule and the remedy.

    `every`: it and all else that is wrong with the same form, in the order of its fields.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field
        self.every: tuple[BadRule, ...] = (self,)

    @property
    def fields(self) -> dict[str, str]:
        """Field -> what is wrong with it."""
        return {one.field: str(one) for one in reversed(self.every) if one.field}


class Faults:
    """Reads a form to its end, so that who wrote it hears of everything at once."""

    def __init__(self) -> None:
        self._found: list[BadRule] = []

    def read(self, one: Callable[[], _T], instead: _T) -> _T:
        """What `one` reads; `instead` where it is wrong, which `check` tells."""
        try:
            return one()
        except BadRule as error:
            self._found += error.every
            return instead

    def check(self) -> None:
        """Stop where anything was wrong.

        Raises:
            BadRule: the first of it, which knows the others.
        """
        if self._found:
            first = self._found[0]
            first.every = tuple(self._found)
            raise first


@dataclass(frozen=True, slots=True)
class Spec:
    """What to look at.

    Attributes:
        raises, clears: conditions over metrics; None for silence.
        metrics: what is looked at.
        window_s: over which a change is measured; 0: none is.
        silence_s: nothing for so long; 0: silence is not what this rule is about. With `metrics`, readings of the first of them.
    """

    raises: Condition | None
    clears: Condition | None
    metrics: tuple[str, ...]
    window_s: int = 0
    silence_s: int = 0


def read(kind: str, given: Mapping[str, Any], *, typed: bool = False) -> Spec:
    """The spec of a rule's parameters.

    Args:
        typed: a person writes them now: a number that may be two, and a part of a second, are refused. What is stored is read as ever.

    Raises:
        BadRule: a parameter is missing or breaks its rule.
    """
    match kind:
        case "threshold":
            return _threshold(given, typed)
        case "absence":
            metric = str(given.get("metric") or "").strip()
            return Spec(None, None, (metric,) if metric else (), silence_s=_seconds(given, "silence_s", LEAST_SILENCE_S, typed))
        case "rate":
            return _rate(given, typed)
        case "expression":
            return _expression(given)
        case "fence":
            return _fence(given)
    raise BadRule("kind", _("tipo: elige uno de la lista"))


def seconds(given: Mapping[str, Any], field: str) -> int:
    """A time within the rules, as a person writes it; 0 where nothing is.

    Raises:
        BadRule: it is none.
    """
    return _seconds(given, field, 0, typed=True)


def kept(params: Mapping[str, Any]) -> dict[str, Any]:
    """What `read` took as typed, as the database keeps it: each number in the one way in which it is always read the same."""
    return {name: decimals.written(decimals.read(raw)) if name in NAMES else raw for name, raw in params.items()}


def _threshold(given: Mapping[str, Any], typed: bool) -> Spec:
    faults = Faults()
    name, above = faults.read(lambda: _metric(given), ""), faults.read(lambda: _above(given), True)
    limit, back = faults.read(lambda: _number(given, "limit", None, _taker(typed)), 0.0), faults.read(lambda: _back(given, typed), 0.0)
    faults.check()
    clear = limit - back if above else limit + back
    if not isfinite(clear):
        raise BadRule("hysteresis", _("histéresis: %(value)s pasa de todo número: escribe una menor") % {"value": f"{back:g}"})
    operators = (">", "<=") if above else ("<", ">=")
    raises, clears = (Comparison(one, Metric(name), Constant(at)) for one, at in zip(operators, (limit, clear), strict=True))
    return Spec(raises, clears, (name,))


def _back(given: Mapping[str, Any], typed: bool) -> float:
    back = _number(given, "hysteresis", 0.0, _taker(typed))
    if back < 0:
        raise BadRule("hysteresis", _("histéresis: escribe 0 o más; escribiste %(value)s") % {"value": f"{back:g}"})
    return back


def _rate(given: Mapping[str, Any], typed: bool) -> Spec:
    faults = Faults()
    name, above = faults.read(lambda: _metric(given), ""), faults.read(lambda: _above(given), True)
    limit = faults.read(lambda: _number(given, "limit", None, _taker(typed)), 0.0)
    window = faults.read(lambda: _seconds(given, "window_s", LEAST_WINDOW_S, typed), 0)
    faults.check()
    operators = (">", "<=") if above else ("<", ">=")
    raises, clears = (Comparison(one, Metric(CHANGE), Constant(limit)) for one in operators)
    return Spec(raises, clears, (name,), window_s=window)


def _expression(given: Mapping[str, Any]) -> Spec:
    try:
        condition = grammar.parse(str(given.get("expression") or ""))
    except BadExpression as error:
        raise BadRule("expression", str(error)) from error
    return Spec(condition, Not(condition), grammar.metrics_of(condition))


def _fence(given: Mapping[str, Any]) -> Spec:
    raw = given.get("points") or ""
    texts = raw if isinstance(raw, list) else [part for part in str(raw).replace("\n", ";").split(";") if part.strip()]
    points = tuple(_point(one) for one in texts[: _CORNERS[1] + 1])
    if not _CORNERS[0] <= len(points) <= _CORNERS[1]:
        told = {"least": _CORNERS[0], "most": _CORNERS[1], "count": len(texts)}
        raise BadRule("points", _("zona: escribe de %(least)s a %(most)s esquinas; hay %(count)s") % told)
    inside = Within(points)
    leaves = given.get("side", "outside") != "inside"
    return Spec(Not(inside) if leaves else inside, inside if leaves else Not(inside), ("x_m", "y_m"))


def points_of(raw: Any) -> list[list[float]]:
    """The corners as the database keeps them."""
    texts = raw if isinstance(raw, list) else [part for part in str(raw).replace("\n", ";").split(";") if part.strip()]
    return [list(_point(one)) for one in texts]


def _point(raw: Any) -> tuple[float, float]:
    parts = raw if isinstance(raw, list | tuple) else str(raw).split(",")
    try:
        x, y = (float(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise BadRule("points", _("zona: %(value)r no es una esquina: escribe «x, y» en metros") % {"value": str(raw)[:40]}) from error
    if not (abs(x) < _FURTHEST and abs(y) < _FURTHEST):
        raise BadRule("points", _("zona: %(value)r no es una esquina: escribe «x, y» en metros") % {"value": str(raw)[:40]})
    return x, y


def _metric(given: Mapping[str, Any]) -> str:
    name = str(given.get("metric") or "").strip()
    if not 0 < len(name) <= 64 or "\x00" in name:
        raise BadRule("metric", _("métrica: escribe su nombre tal como la envía el robot, por ejemplo motor_temp_c"))
    return name


def _above(given: Mapping[str, Any]) -> bool:
    side = str(given.get("side", "above"))
    if side not in {"above", "below"}:
        raise BadRule("side", _("sentido: elige por encima o por debajo"))
    return side == "above"


def _taker(typed: bool) -> Callable[[Any], float]:
    return decimals.read if typed else decimals.stored


def _number(given: Mapping[str, Any], field: str, default: float | None, take: Callable[[Any], float]) -> float:
    raw = given.get(field)
    if raw in (None, ""):
        if default is not None:
            return default
        raw = ""
    try:
        return take(raw)
    except decimals.BadDecimal as error:
        raise BadRule(field, f"{NAMES[field]}: {error}") from error


def _seconds(given: Mapping[str, Any], field: str, least: int, typed: bool) -> int:
    value = _number(given, field, 0.0 if least == 0 else None, decimals.whole if typed else decimals.stored)
    if not least <= value <= LONGEST_S:
        told = {"field": NAMES[field], "value": f"{value:g}", "least": least, "most": LONGEST_S}
        raise BadRule(field, _("%(field)s: escribe de %(least)s a %(most)s segundos; escribiste %(value)s") % told)
    return int(value)
