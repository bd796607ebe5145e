"""Results of sessions -> the figures that are published. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, exp, sqrt
from statistics import median
from typing import Final, NamedTuple

from croody.detection.evaluation.score import Named
from croody.detection.evaluation.sessions import Result

_Z: Final = 1.96
_TAIL: Final = 0.025


class Share(NamedTuple):
    """So many of so many; `low`, `high`: Wilson's 95 % interval."""

    found: int
    of: int
    low: float
    high: float

    def __str__(self) -> str:
        if not self.of:
            return "none"
        return f"{self.found} of {self.of} ({self.found / self.of:.2f}; {self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Row:
    """Attacks of one family or kind. `in_time`: named within the gate; `ever`: at all; `after_s`: to the first evidence, in the middle."""

    name: str
    in_time: Share
    ever: int
    after_s: float | None
    codes: tuple[str, ...]


def share(found: int, of: int) -> Share:
    """With its interval."""
    if not of:
        return Share(0, 0, 0.0, 1.0)
    p, n = found / of, of
    middle, half = p + _Z**2 / (2 * n), _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    return Share(found, of, max(0.0, (middle - half) / (1 + _Z**2 / n)), min(1.0, (middle + half) / (1 + _Z**2 / n)))


def rates(found: int, hours: float) -> tuple[float, float]:
    """The rates an hour that so many in so many hours fit: Poisson's exact 95 % interval."""
    if not hours:
        return 0.0, float("inf")
    low = _where(lambda mean: 1 - _at_most(found - 1, mean) < _TAIL, found) if found else 0.0
    return low / hours, _where(lambda mean: _at_most(found, mean) > _TAIL, found) / hours


def _where(below: Callable[[float], bool], found: int) -> float:
    """The mean from which on it no longer holds."""
    low, high = 0.0, 4.0 * found + 10
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return low


def _at_most(most: int, mean: float) -> float:
    """How likely no more than that are, where `mean` are usual."""
    part = whole = exp(-mean)
    for number in range(1, most + 1):
        part *= mean / number
        whole += part
    return whole if most >= 0 else 0.0


def row(name: str, its: Sequence[Named], within_s: float) -> Row:
    """Of some attacks."""
    waits = sorted(one.after_s for one in its if one.after_s is not None)
    codes = tuple(dict.fromkeys(code for one in its for code in one.codes[:1]))
    return Row(name, share(sum(wait <= within_s for wait in waits), len(its)), len(waits), median(waits) if waits else None, codes)


def by(what: str, its: Iterable[Named], within_s: float) -> list[Row]:
    """A row for each `family` or `kind`, what is found least first."""
    its = list(its)
    names = dict.fromkeys(str(getattr(one.interval, what)) for one in its)
    rows = [row(name, [one for one in its if getattr(one.interval, what) == name], within_s) for name in names]
    return sorted(rows, key=lambda one: (one.in_time.found / one.in_time.of, one.name))


def percentile(values: Iterable[float], part: float) -> float | None:
    """The value below which that part lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(part * len(ordered)) - 1)] if ordered else None


def waits(its: Iterable[Named]) -> list[float]:
    """Seconds to the first evidence, of those that were named."""
    return [one.after_s for one in its if one.after_s is not None]


def false_an_hour(results: Iterable[Result]) -> tuple[int, float, float]:
    """Incidents for nothing, hours, and the one by the other."""
    results = list(results)
    found, hours = sum(len(result.for_nothing) for result in results), sum(result.hours for result in results)
    return found, hours, found / hours if hours else 0.0
