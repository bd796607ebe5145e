"""What is wrong with a metric, by its profile: missing, stuck, out of range, jumped, spiking, drifting. Pure numpy, one pass a row.

Each has a limit from what was learned, a least time before it is said, and another limit below which it is over.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from croody_contract.profiles import ANY_MODE, Profile, Rule
from croody_edge.screen.learned.inputs import Array
from croody_edge.screen.learned.learn import FEWEST_CHANGES, deviation
from croody_edge.screen.learned.rows import Row
from croody_edge.screen.learned.slow import decay

#: Of the range that was learned, so much beyond it on either side; of the largest value, at least so much.
_BEYOND: Final = 1.0
_BEYOND_SIZE: Final = 0.02
#: Rows beyond in a row before it is said, and rows inside, by this share of the room, before it is over.
_OUT_ROWS: Final = 3
_IN_ROWS: Final = 60
_INSIDE: Final = 0.2
#: Times the largest step; at least this share of the range, and at most that one: such a step leaves the range wherever it begins.
_STEP_TIMES: Final = 4.0
_STEP_OF_RANGE: Final = 0.1
_STEP_LEAVES: Final = 1.5
#: A step that has not come back after so many rows is a jump; so many that did, within so long, are spikes.
_BACK_ROWS: Final = 3
_SPIKES: Final = 3
_SPIKES_S: Final = 600.0
#: So long after the last one it is over, seconds.
_JUMP_LASTS_S: Final = 300.0
#: Times the longest time without change, or without a value; at least so long, seconds.
_STILL_TIMES: Final = 3.0
_STILL_LEAST_S: Final = 60.0
_GAP_TIMES: Final = 3.0
_GAP_LEAST_S: Final = 10.0
#: A metric that once stayed the same for longer is not judged by that in this mode, seconds.
_STILL_MOST_S: Final = 1200.0
#: Times the farthest that the slow mean went, at least so many standard deviations; below this share of it, it is over.
_DRIFT_TIMES: Final = 3.0
_DRIFT_LEAST: Final = 1.0
_DRIFT_OVER: Final = 0.7
#: What turned less often than this has so many times the room.
_SELDOM: Final = 40
_SELDOM_TIMES: Final = 2.0
#: Rows that the last values of a metric are kept for.
_RING: Final = 5


class Finding(NamedTuple):
    """What is wrong: which metric, its value (or its seconds), and the limit that it broke, both in the metric's unit or in seconds."""

    rule: Rule
    metric: str
    value: float
    limit: float


class Judges:
    """Of one robot. `take` says what is wrong now; what was wrong before and is not named any more is over."""

    def __init__(self, profile: Profile) -> None:
        metrics = profile.metrics
        self._names = [metric.name for metric in metrics]
        self._place = {name: index for index, name in enumerate(self._names)}
        self._modes = profile.modes()
        low, high = _column(metric.low for metric in metrics), _column(metric.high for metric in metrics)
        self._range = high - low
        # Of what turned seldom while it was learned, a day will show more than two hours did.
        unseen = np.asarray([_SELDOM_TIMES if metric.turns < _SELDOM else 1.0 for metric in metrics])
        room = np.maximum.reduce(
            [_BEYOND * unseen * self._range, _BEYOND_SIZE * np.maximum(np.abs(low), np.abs(high)), np.full(len(low), 1e-9)]
        )
        settled = np.asarray([not metric.wanders for metric in metrics])
        moves = np.asarray([metric.changes >= FEWEST_CHANGES for metric in metrics])
        self._low, self._high = np.where(settled, low - room, -np.inf), np.where(settled, high + room, np.inf)
        self._inside = _INSIDE * room
        step = np.clip(_STEP_TIMES * _column(metric.step for metric in metrics), _STEP_OF_RANGE * self._range, _STEP_LEAVES * self._range)
        self._step = np.where(moves, step, np.inf)
        self._gap_s = np.maximum.reduce(
            [
                _GAP_TIMES * _column(metric.gap_s for metric in metrics),
                np.full(len(low), _GAP_LEAST_S),
                np.full(len(low), 5 * profile.interval_s),
            ]
        )
        drift = np.maximum(_DRIFT_TIMES * unseen * _column(metric.drift for metric in metrics), _DRIFT_LEAST)
        self._drift = np.where(settled & moves, drift, np.inf)
        self._alpha = decay(profile.interval_s)
        self._of_mode = {mode: _Mode(profile, mode, moves) for mode in [ANY_MODE, *self._modes]}
        size = len(metrics)
        self._value = np.full(size, np.nan)
        self._fresh_s = np.zeros(size)
        self._same_s = np.zeros(size)
        self._ring = np.full((_RING, size), np.nan)
        self._out = np.zeros(size, dtype=np.int64)
        self._in = np.zeros(size, dtype=np.int64)
        self._slow = np.zeros(size)
        self._slow_rows = 0
        self._away = np.zeros(size, dtype=np.int64)
        self._base = np.full(size, np.nan)
        self._spikes: dict[int, list[float]] = {}
        self._jumped: dict[int, tuple[float, float]] = {}
        self._bad: dict[Rule, NDArray[np.bool_]] = {
            rule: np.zeros(size, dtype=bool) for rule in ("missing", "stuck", "out_of_range", "drift")
        }
        self._mode, self._before_s, self._begun = ANY_MODE, 0.0, False

    def take(self, row: Row) -> list[Finding]:
        """What is wrong as of this row."""
        fresh = np.full(len(self._names), np.nan)
        for name, one in row.values.items():
            place = self._place.get(name)
            if place is not None:
                fresh[place] = one
        new = np.isfinite(fresh)
        if row.paused or not self._begun:
            self._begin(row)
        mode = row.mode if row.mode in self._of_mode else ANY_MODE
        changed_mode = mode != self._mode
        self._mode = mode
        value = np.where(new, fresh, self._value)
        self._fresh_s[new] = row.t_s
        moved = (value != self._value) & new
        self._same_s[moved | changed_mode | ~np.isfinite(value)] = row.t_s
        self._value = value
        found = self._judge(row.t_s, value, new, self._of_mode[mode])
        self._before_s = row.t_s
        return found

    def values(self, names: Sequence[str]) -> Array:
        """The newest value of each; NaN where there is none or it is missing."""
        places = [self._place[name] for name in names]
        return np.asarray(np.where(self._bad["missing"], np.nan, self._value)[places])

    def _begin(self, row: Row) -> None:
        """After a pause nothing is compared with what was before it."""
        self._begun = True
        self._fresh_s[:] = self._same_s[:] = row.t_s
        self._ring[:] = np.nan
        self._base[:] = np.nan
        self._away[:] = 0
        self._slow[:] = 0.0

    def _judge(self, t_s: float, value: Array, new: NDArray[np.bool_], mode: "_Mode") -> list[Finding]:
        bad = self._bad
        silent_s, same_s = t_s - self._fresh_s, t_s - self._same_s
        bad["missing"] = silent_s > self._gap_s
        known = np.isfinite(value) & ~bad["missing"]
        bad["stuck"] = known & (same_s > mode.still_s)
        outside = known & ((value < self._low) | (value > self._high))
        self._out = np.where(outside, self._out + new, np.where(new, 0, self._out))
        near = (value < self._low + self._inside) | (value > self._high - self._inside)
        self._in = np.where(near | ~known, 0, self._in + new)
        bad["out_of_range"] = (bad["out_of_range"] & (self._in < _IN_ROWS)) | (self._out >= _OUT_ROWS)
        off = np.where(known, deviation(value, mode.mean, mode.spread, mode.whole), 0.0)
        self._slow += self._alpha * (np.nan_to_num(off) - self._slow)
        far = np.abs(self._slow)
        bad["drift"] = (far > self._drift) | (bad["drift"] & (far > _DRIFT_OVER * self._drift))
        self._steps(t_s, value, new & known)
        return self._findings(t_s, value, silent_s, same_s, mode)

    def _steps(self, t_s: float, value: Array, new: NDArray[np.bool_]) -> None:
        """Steps that are too large: away from where it was, and back again or not."""
        middle = np.sort(self._ring, axis=0)[_RING // 2]  # NaN sorts last: of a metric with fewer values there is no middle.
        base = np.where(self._away > 0, self._base, middle)
        far = new & (np.abs(value - base) > self._step)
        back = new & ~far & (self._away > 0)
        for place in np.flatnonzero(back):
            self._spikes[int(place)] = [*self._spikes.get(int(place), [])[1 - _SPIKES :], t_s]
        self._base = np.where(far, base, self._base)
        self._away = np.where(far, self._away + 1, np.where(new, 0, self._away))
        for place in np.flatnonzero(self._away > _BACK_ROWS):
            self._jumped[int(place)] = (t_s, float(abs(value[place] - base[place])))
            self._away[place] = 0
            self._ring[:, place] = value[place]
        settled = new & ~far
        if settled.any():
            self._ring[:, settled] = np.roll(self._ring[:, settled], -1, axis=0)
            self._ring[-1, settled] = value[settled]

    def _findings(self, t_s: float, value: Array, silent_s: Array, same_s: Array, mode: "_Mode") -> list[Finding]:
        found = []
        names = self._names
        if self._bad["missing"].any():
            found += [Finding("missing", names[i], float(silent_s[i]), float(self._gap_s[i])) for i in np.flatnonzero(self._bad["missing"])]
        if self._bad["stuck"].any():
            found += [Finding("stuck", names[i], float(same_s[i]), float(mode.still_s[i])) for i in np.flatnonzero(self._bad["stuck"])]
        for i in np.flatnonzero(self._bad["out_of_range"]) if self._bad["out_of_range"].any() else ():
            limit = self._high[i] if value[i] > self._low[i] else self._low[i]
            found.append(Finding("out_of_range", names[i], float(value[i]), float(limit)))
        for i in np.flatnonzero(self._bad["drift"]) if self._bad["drift"].any() else ():
            unit = max(float(mode.spread[i]), 0.1 * float(mode.whole[i]), 1e-9)
            found.append(Finding("drift", names[i], float(self._slow[i]) * unit, float(self._drift[i]) * unit))
        for i, (since_s, step) in list(self._jumped.items()):
            if t_s - since_s > _JUMP_LASTS_S:
                del self._jumped[i]
            else:
                found.append(Finding("jump", names[i], step, float(self._step[i])))
        for i, times in list(self._spikes.items()):
            recent = [at_s for at_s in times if t_s - at_s <= _SPIKES_S]
            if len(recent) >= _SPIKES:
                found.append(Finding("spike", names[i], float(len(recent)), float(self._step[i])))
            elif not recent:
                del self._spikes[i]
        return found


class _Mode:
    """The limits of one mode; where a metric was not there in it, those of all modes."""

    def __init__(self, profile: Profile, mode: str, moves: NDArray[np.bool_]) -> None:
        levels = [metric.levels.get(mode, metric.levels[ANY_MODE]) for metric in profile.metrics]
        self.mean, self.spread = _column(level.mean for level in levels), _column(level.spread for level in levels)
        self.whole = _column(metric.levels[ANY_MODE].spread for metric in profile.metrics)
        still_s = _column(level.still_s for level in levels)
        least_s = max(_STILL_LEAST_S, 10 * profile.interval_s)
        judged = moves & (still_s <= _STILL_MOST_S)
        self.still_s = np.where(judged, np.maximum(_STILL_TIMES * still_s, least_s), np.inf)


def _column(values: Iterable[float]) -> Array:
    return np.asarray(list(values), dtype=np.float64)
