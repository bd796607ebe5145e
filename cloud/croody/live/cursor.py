"""Where a listener stands among the ids of `telemetry_record`, as the `id` of each event says it. Pure.

PostgreSQL hands ids out before the commit, so what a listener has seen is not only "up to so many": a row may still appear below
rows that it was sent. Its place therefore names the ids below the greatest that were not there yet:

    4711                   everything up to 4711
    4711-4700.4703_4705    everything up to 4711 but 4700 and 4703 to 4705
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from croody.telemetry.read.follow import Follower
from croody_contract import ranges
from croody_contract.ranges import EMPTY, Ranges

#: A place names at most so many runs of holes; with more it names the last id before all of them, and what follows comes twice.
MOST_RUNS: Final = 40
#: More single ids than this in one place were never given by us.
MOST_HOLES: Final = 10_000
_GRAMMAR: Final = re.compile(r"(\d{1,18})(?:-(\d{1,18}(?:_\d{1,18})?(?:\.\d{1,18}(?:_\d{1,18})?)*))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Everything up to `high` was seen but `holes`, which lie below it."""

    high: int
    holes: Ranges = EMPTY

    @classmethod
    def of(cls, follower: Follower) -> Self:
        """Where somebody stands who saw all that `follower` saw."""
        return cls(follower.high, ranges.of(hole for hole, _ in follower.holes))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The inverse of `str`; None for what we never gave."""
        match = _GRAMMAR.fullmatch(text)
        if match is None:
            return None
        pairs = [part.partition("_") for part in match[2].split(".")] if match[2] else []
        try:
            holes = ranges.normalise((int(first), int(last or first)) for first, _, last in pairs)
        except ValueError:
            return None
        high = int(match[1])
        if len(pairs) > MOST_RUNS or ranges.count(holes) > MOST_HOLES or (holes and ranges.last(holes) >= high):
            return None
        return cls(high, holes)

    def __str__(self) -> str:
        """The `id` of an event."""
        if not self.holes:
            return str(self.high)
        if len(self.holes) > MOST_RUNS:
            return str(self.holes[0][0] - 1)
        return f"{self.high}-{'.'.join(str(a) if a == b else f'{a}_{b}' for a, b in self.holes)}"

    def has(self, number: int) -> bool:
        """Whether who stands here saw this row, if there is one."""
        return number <= self.high and not any(first <= number <= last for first, last in self.holes)

    def covers(self, other: Self) -> bool:
        """Whether who stands here saw all that one at `other` saw."""
        return self.high >= other.high and not ranges.subtract(_upto(self.holes, other.high + 1), other.holes)

    def after(self, seen: Sequence[int], newest: Self, upto: int) -> Self:
        """Where one stands who read all rows in the holes and up to `upto`.

        Args:
            seen: ids of the rows that were there.
            newest: how the table was just before they were read; what was a hole then and older than its memory stays one for ever.
            upto: ids above this were not asked for.
        """
        high = max(self.high, upto)
        return type(self)(high, ranges.subtract(_upto(newest.holes, high), ranges.of(seen)))


def along(before: Place, ids: Sequence[int], after: Place) -> Iterator[Place]:
    """The place after each of `ids`, which are sent in ascending order and lead from `before` to `after`."""
    waits = ranges.of(number for number in ids if number <= before.high)
    for number in ids:
        high = max(before.high, number)
        waits = ranges.subtract(waits, ((number, number),))
        yield Place(high, ranges.union(_upto(after.holes, high), waits))


def _upto(holes: Ranges, high: int) -> Ranges:
    """Holes below `high`: above it nothing is known."""
    return ranges.intersect(holes, ((1, high - 1),)) if holes and high > 1 else EMPTY
