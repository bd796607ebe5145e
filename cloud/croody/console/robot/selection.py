"""What the address of a robot's page says: which range, which metrics. Pure: `now` is an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from urllib.parse import urlencode

from croody.web.address import whole

#: What is offered: its name in the address, and how long it is.
RANGES: Final[Mapping[str, timedelta]] = {
    "15m": timedelta(minutes=15),
    "90m": timedelta(minutes=90),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
USUAL: Final = "90m"
#: Charts at once, and what is drawn where nobody asks for any.
MOST: Final = 8
FEW: Final = 4
#: A range that somebody drags is this long at least.
_LEAST: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(days=1100)
#: Of unix seconds.
_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Asked:
    """`start` and `end` are unix seconds of a range that somebody chose by hand: it is history, and stands still."""

    range: str = USUAL
    start: int = 0
    end: int = 0
    metrics: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Mapping[str, str], metrics: Sequence[str] = ()) -> Self:
        """From an address; what makes no sense is what nobody asked for."""
        start, end = whole(query.get("from", ""), _DIGITS), whole(query.get("to", ""), _DIGITS)
        if not (start and end and _LEAST.total_seconds() <= end - start <= _LONGEST.total_seconds()):
            start = end = 0
        range_ = query.get("range", USUAL)
        names = tuple(dict.fromkeys(name for name in metrics if 1 <= len(name) <= 64 and "\x00" not in name))[:MOST]
        return cls(range_ if range_ in RANGES else USUAL, start, end, names)

    @property
    def live(self) -> bool:
        """Whether it ends now, and goes on."""
        return not self.end

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """From when until when."""
        if self.end:
            return datetime.fromtimestamp(self.start, UTC), datetime.fromtimestamp(self.end, UTC)
        return now - RANGES[self.range], now

    def address(self, *, range: str = "") -> str:
        """The query of this page, with another range."""
        asked = replace(self, range=range, start=0, end=0) if range else self
        parts: list[tuple[str, str]] = [("range", asked.range)] if asked.range != USUAL else []
        parts += [("from", str(asked.start)), ("to", str(asked.end))] if asked.end else []
        parts += [("m", name) for name in asked.metrics]
        return "?" + urlencode(parts) if parts else "?"
