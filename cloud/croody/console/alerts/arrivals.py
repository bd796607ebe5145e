"""When the robots of one alarm came, as bars of equal time. Pure: moments in, bars and a sentence out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.web import formats

#: What one bar may stand for, in seconds; the first by which there are few enough bars.
_STEPS: Final = (1, 5, 10, 60, 300, 900, 3600, 21600, 86400)
MOST_BARS: Final = 40
WIDTH: Final = 400
HEIGHT: Final = 48


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time, in units of the drawing."""

    x: float
    y: float
    width: float
    height: float


def drawn(moments: Sequence[datetime], language: str) -> dict[str, Any] | None:
    """What the template needs; None for fewer than two."""
    if len(moments) < 2:
        return None
    first, last = min(moments), max(moments)
    span_s = (last - first).total_seconds()
    step_s = next((step for step in _STEPS if span_s / step < MOST_BARS), max(1, int(span_s // (MOST_BARS - 1))))
    counts = Counter(floor((at - first).total_seconds() / step_s) for at in moments)
    bars, most = max(counts) + 1, max(counts.values())
    wide = WIDTH / max(bars, 12)
    drawn_bars = [
        Bar(round(place * wide, 1), HEIGHT * (1 - count / most), round(wide * 0.8, 1), HEIGHT * count / most)
        for place, count in counts.items()
    ]
    return {
        "bars": sorted(drawn_bars, key=lambda bar: bar.x),
        "said": _said(len(moments), span_s, most, step_s, language),
        "start": first,
        "width": WIDTH,
        "height": HEIGHT,
    }


def _said(count: int, span_s: float, most: int, step_s: int, language: str) -> str:
    """`12 robots en 45 s; hasta 7 en 5 s`."""
    numbers = {"count": formats.number(count, 0, language), "span": formats.age(max(1.0, span_s))}
    text = ngettext("%(count)s robot en %(span)s", "%(count)s robots en %(span)s", count) % numbers
    return _("%(robots)s; hasta %(most)s en %(step)s") % {
        "robots": text,
        "most": formats.number(most, 0, language),
        "step": formats.age(step_s),
    }
