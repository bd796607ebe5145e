"""When each message of an open-loop load is to be sent, whatever became of those before it. Pure."""

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Schedule:
    """`first` to `last` messages a second, rising or falling evenly over `seconds`."""

    first: float
    last: float
    seconds: float

    @property
    def count(self) -> int:
        """Messages in all."""
        return int((self.first + self.last) / 2 * self.seconds)

    def due(self, elapsed_s: float) -> int:
        """How many are to be sent by then: the first one at once."""
        t = min(max(elapsed_s, 0.0), self.seconds)
        return min(self.count, 1 + int(self.first * t + (self.last - self.first) / self.seconds * t * t / 2))

    def at(self, index: int) -> float:
        """When message `index` (from 0) is to be sent, in seconds from the start: the moment from which its latency counts."""
        slope = (self.last - self.first) / self.seconds
        if abs(slope) < 1e-9:
            return index / self.first
        return (sqrt(self.first * self.first + 2 * slope * index) - self.first) / slope


def steady(rate: float, seconds: float) -> Schedule:
    """The same rate throughout."""
    return Schedule(rate, rate, seconds)
