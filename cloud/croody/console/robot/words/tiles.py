"""What it measures now, each value beside what is usual and its limits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from croody.console.robot.facts import Now, Slow
from croody.console.robot.limits import Limit, Limits
from croody.console.robot.words.answer import is_old
from croody.live.picture import Text
from croody.monitor.entry import PLACE, as_number
from croody.telemetry.read import metrics
from croody.telemetry.read.typical_ranges import Range

#: Tiles in sight; the others are one click away.
AT_ONCE: Final = 12
#: Where a bar begins and ends beyond what is usual, of its width.
_PAD: Final = 0.15


@dataclass(frozen=True, slots=True)
class Tile:
    """A value with its range. `x`, `from_x` and `width` are parts of a bar of 100; -1 for no bar."""

    name: str
    field: str
    label: str
    text: str
    unit: str
    x: float
    from_x: float
    width: float
    usual: str
    old: bool
    limit: str = ""
    over: bool = False


def tiles(now_: Now, slow: Slow, now: datetime, language: str) -> list[Tile]:
    """Every value of the newest reading, what counts most first."""
    values = now_.entry.values
    known = sorted(
        (metrics.describe(name, now_.entry.said) for name in values if name not in PLACE), key=lambda metric: (metric.rank, metric.name)
    )
    old = is_old(now_, now)
    ranges, limits = slow.usual, slow.limits
    return [
        _limited(_tile(f"v{place}", one, values[one.name], ranges.get(one.name), language, old), one, values[one.name], limits, language)
        for place, one in enumerate(known)
    ]


def _limited(tile: Tile, metric: metrics.Metric, raw: Any, limits: Limits, language: str) -> Tile:
    """With the limits that rules set to it."""
    mine, number = limits.get(metric.name, ()), as_number(raw)
    if not mine:
        return tile
    over = number is not None and any(limit.broken_by(number) for limit in mine)
    return replace(tile, limit=" · ".join(limit_text(metric, limit, language) for limit in mine), over=over)


def limit_text(metric: metrics.Metric, limit: Limit, language: str) -> str:
    """`límite 80`, as it stands beside a value and on its line."""
    text = _("límite %(value)s") if limit.above else _("mínimo %(value)s")
    return text % {"value": value_text(metric, limit.value, language)}


def _tile(field: str, metric: metrics.Metric, raw: Any, range_: Range | None, language: str, old: bool) -> Tile:
    number = as_number(raw)
    x = from_x = width = -1.0
    usual = ""
    if number is not None and range_ is not None:
        low, high = _domain(metric, range_)
        x, from_x = _place(number, low, high), _place(range_.low, low, high)
        width = max(1.0, _place(range_.high, low, high) - from_x)
        texts = {"low": value_text(metric, range_.low, language), "high": value_text(metric, range_.high, language)}
        usual = _("24 h: %(low)s a %(high)s") % texts
    return Tile(metric.name, field, metric.label(language), value_text(metric, raw, language), metric.unit, x, from_x, width, usual, old)


def _domain(metric: metrics.Metric, range_: Range) -> tuple[float, float]:
    """What a bar spans: all of it for a share, else what is usual and some room beside it."""
    if metric.unit == "%" and range_.low >= 0 and range_.high <= 100:
        return 0.0, 100.0
    room = (range_.high - range_.low) * _PAD or max(abs(range_.high) * _PAD, 1.0)
    return range_.low - room, range_.high + room


def _place(value: float, low: float, high: float) -> float:
    return round(max(0.0, min(1.0, (value - low) / (high - low))) * 98, 1)


def value_text(metric: metrics.Metric, raw: Any, language: str) -> str:
    """A value as people read it, without its unit."""
    return metric.text(raw, language)


def tile_texts(shown: Sequence[Tile], at: float | None) -> dict[str, Text]:
    """What changes in their place."""
    texts: dict[str, Text] = {"at": at}
    for tile in shown:
        texts[tile.field] = tile.text
        if tile.x >= 0:
            texts[f"{tile.field}x"] = tile.x
    return texts
