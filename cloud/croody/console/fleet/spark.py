"""A small line of the last hour, as SVG paths. Pure: numbers in, paths out; no word, no colour."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, Final

from croody.monitor.entry import PLACE, as_number
from croody.telemetry.read import metrics

#: Minutes that a line shows.
MINUTES: Final = 60
#: As the style sheet has it, in pixels.
WIDTH: Final = 110
HEIGHT: Final = 24
_PAD: Final = 3
#: Metrics that have a column of their own, or say nothing as a line.
_LEFT_OUT: Final = frozenset({"battery_pct", "battery_slope_pct_s", "screen_score", "cycle", "uptime_s", *PLACE})


@dataclass(frozen=True, slots=True)
class Spark:
    """`line`: what is known; `holes`: bands where nothing came; `dot`: the last point that is known."""

    line: str
    holes: str
    dot: str


@dataclass(frozen=True, slots=True)
class Domain:
    """What the height of every line of a page stands for."""

    low: float
    high: float


def domain(lines: Iterable[Sequence[float | None]]) -> Domain:
    """The same for all of them, in steps that read well, so that it seldom changes."""
    known = [value for line in lines for value in line if value is not None]
    if not known:
        return Domain(0.0, 1.0)
    low, high = min(known), max(known)
    step = 10.0 ** floor(log10(max(high - low, abs(high) * 0.01, 1e-6)))
    return Domain(floor(low / step) * step, (floor(high / step) + 1) * step)


def draw(values: Sequence[float | None], of: Domain) -> Spark:
    """One line: broken where nothing came, and hatched there."""
    parts: list[str] = []
    holes: list[str] = []
    last: tuple[float, float] | None = None
    before: float | None = None
    wide = WIDTH / max(1, len(values))
    began: int | None = None
    for index, value in enumerate(values):
        if value is None:
            began = index if began is None else began
            before = None
            continue
        if began is not None:
            holes.append(_band(began * wide, index * wide))
            began = None
        x = round((index + 0.5) * wide, 1)
        y = round(HEIGHT - _PAD - (value - of.low) / (of.high - of.low) * (HEIGHT - 2 * _PAD), 1)
        parts.append(f"{'L' if before is not None else 'M'}{x:g} {y:g}")
        before = value
        last = (x, y)
    if began is not None:
        holes.append(_band(began * wide, WIDTH))
    return Spark("".join(parts), "".join(holes), f"M{last[0]:g} {last[1]:g}h0" if last else "")


def choose(values: Iterable[Mapping[str, Any]], asked: str) -> str:
    """The metric that is asked for, else the one that most robots of the page send, of equals the most telling; empty for none."""
    counts = offered(values)
    if asked in counts:
        return asked
    return min(counts, key=lambda name: (-counts[name], metrics.describe(name).rank, name), default="")


def offered(values: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Numbers that robots of the page send: how many do."""
    return Counter(name for row in values for name, value in row.items() if name not in _LEFT_OUT and as_number(value) is not None)


def _band(begin: float, end: float) -> str:
    return f"M{begin:.1f} 2H{end:.1f}V{HEIGHT - 2}H{begin:.1f}Z"
