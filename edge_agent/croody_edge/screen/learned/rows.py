"""Readings to rows: one a period at most, with what is new of each metric. Pure; knows a clock of its own that stands while none come."""

from collections.abc import Mapping
from math import isfinite
from typing import Final, NamedTuple

from croody_contract.messages import Reading
from croody_contract.profiles import ANY_MODE, PERIOD_S

#: Metrics of one row; of a robot that sends more, those that came first.
MOST_NAMES: Final = 64
#: A reading this much sooner than the period still makes a row.
_EARLY: Final = 0.9
#: A gap longer than so many intervals, and than so many seconds, is a pause: nobody was missing in it.
_PAUSE_INTERVALS: Final = 5.0
_PAUSE_S: Final = 10.0
#: What the agent itself says in a reading, or what counts what it sent.
_NOT_MEASURED: Final = frozenset({"screen_score", "screening", "recorded_at"})


class Row(NamedTuple):
    """`t_s`: seconds of the robot's own clock. `values`: what is new since the row before. `paused`: what came before is not its past."""

    t_s: float
    mode: str
    values: Mapping[str, float]
    paused: bool


class Rows:
    """Of one robot."""

    def __init__(self) -> None:
        self._t_s = 0.0
        self._last: float | None = None
        self._interval_s = PERIOD_S
        self._mode = ANY_MODE
        self._new: dict[str, float] = {}

    def take(self, reading: Reading, now: float) -> Row | None:
        """A row, when it is time for one. `now`: unix seconds."""
        for name, value in reading.data.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or name in _NOT_MEASURED:
                continue
            if (name in self._new or len(self._new) < MOST_NAMES) and isfinite(value):
                self._new[name] = float(value)
        if reading.status:
            self._mode = reading.status
        paused = False
        if self._last is not None:
            gap_s = now - self._last
            if 0 <= gap_s < _EARLY * PERIOD_S:
                return None
            paused = gap_s < 0 or gap_s > max(_PAUSE_S, _PAUSE_INTERVALS * self._interval_s)
            if not paused:
                self._interval_s += 0.1 * (gap_s - self._interval_s)
            elif gap_s > 0:
                # A robot that became slow is not for ever in a pause.
                self._interval_s = min(gap_s, 2 * self._interval_s)
            self._t_s += self._interval_s if paused else gap_s
        self._last = now
        row = Row(self._t_s, self._mode, self._new, paused)
        self._new = {}
        return row
