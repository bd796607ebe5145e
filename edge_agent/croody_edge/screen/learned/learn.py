"""Rows of a robot's first hours to its profile. Pure numpy: no files, no clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from croody_contract.profiles import (
    ANY_MODE,
    MAX_JOINT,
    MAX_METRICS,
    MAX_MODES,
    OF_EACH,
    VERSION,
    WINDOW_ROWS,
    Level,
    Metric,
    Profile,
    Together,
)
from croody_edge.screen.learned.inputs import FARTHEST, Array, inputs
from croody_edge.screen.learned.slow import decay

#: Fewer rows than this say nothing of a robot, nor of a mode.
LEAST_ROWS: Final = 600
_LEAST_OF_MODE: Final = 120
#: A metric is judged when so large a share of the rows is not far from a value of it; and its movements when it changed so often.
_LEAST_SHARE: Final = 0.5
FEWEST_CHANGES: Final = 20
#: A level that left what the first two thirds saw by this share of it wanders.
_WANDERS: Final = 0.25
#: Of windows that overlap, each so many rows one is learned on; and blocks of time that are held out in turn.
_STRIDE: Final = 4
_BLOCKS: Final = 5
#: Windows that are read at once: memory is short on a board.
_CHUNK: Final = 256
#: A mode has a shape of its own from so many windows an input on.
_WINDOWS_AN_INPUT: Final = 2
#: The limit of what moves together: this factor on the held-out windows' quantile. Chosen on other robots than it is reported on.
QUANTILE: Final = 0.999
FACTOR: Final = 1.2


class Seen(NamedTuple):
    """Rows one after the other.

    Attributes:
        names: of the metrics.
        t_s: seconds of the robot's own clock, shape (n,).
        modes: of each row, length n.
        values: NaN where nothing was new, shape (n, metrics).
        paused: whether the row's past is not the row before, shape (n,).
    """

    names: Sequence[str]
    t_s: Array
    modes: Sequence[str]
    values: Array
    paused: NDArray[np.bool_]


class TooFew(Exception):
    """There is not enough to learn from; the text says of what."""


def settled(seen: Seen) -> bool:
    """Whether the level of every metric that moves has been where it will be: learning that goes on would see nothing new."""
    return not any(_wanders(values) and not _counts(values) for values in (column[np.isfinite(column)] for column in seen.values.T))


def learn(seen: Seen, made_at: datetime, declared: Sequence[str] = ()) -> Profile:
    """What is ordinary.

    Args:
        seen: readings of a robot that was well.
        made_at: the date of the profile.
        declared: metrics that the robot named at its birth; where there are too many, these come first.

    Raises:
        TooFew: too few rows, or no metric that comes often enough.
    """
    if len(seen.t_s) < LEAST_ROWS:
        raise TooFew(f"{len(seen.t_s)} readings, {LEAST_ROWS} are needed")
    steps_s = np.diff(seen.t_s)[~seen.paused[1:]]
    interval_s = float(np.median(steps_s)) if len(steps_s) else 1.0
    filled = forward(seen.values)
    modes = _modes(seen)
    ranks = {name: number for number, name in enumerate(declared)}
    share = np.isfinite(filled).mean(axis=0)
    chosen = [index for index in range(len(seen.names)) if share[index] >= _LEAST_SHARE and np.isfinite(seen.values[:, index]).sum() >= 2]
    chosen = sorted(chosen, key=lambda index: (ranks.get(seen.names[index], len(ranks)), index))[:MAX_METRICS]
    if not chosen:
        raise TooFew("no number comes in half of the readings")
    metrics = [_metric(seen, filled, index, modes, interval_s) for index in chosen]
    joint = [
        (metric, index)
        for metric, index in zip(metrics, chosen, strict=True)
        if not metric.wanders and metric.changes >= FEWEST_CHANGES and metric.levels[ANY_MODE].spread > 0
    ][:MAX_JOINT]
    together = _together(filled[:, [index for _, index in joint]], seen, modes, [m for m, _ in joint]) if joint else {}
    return Profile(
        version=VERSION,
        made_at=made_at,
        readings=len(seen.t_s),
        lasted_s=round(float(seen.t_s[-1] - seen.t_s[0]), 1),
        interval_s=round(interval_s, 3),
        metrics=metrics,
        joint=[metric.name for metric, _ in joint] if together else [],
        together=together,
        left_out=sorted(set(seen.names) - {metric.name for metric in metrics}),
    )


def forward(values: Array) -> Array:
    """Each gap filled with the value before it, shape as given."""
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1), axis=0)
    return np.asarray(np.where(last >= 0, np.take_along_axis(values, np.maximum(last, 0), axis=0), np.nan))


def _modes(seen: Seen) -> dict[str, NDArray[np.bool_]]:
    """The modes that are told apart, each with its rows; `ANY_MODE` has all."""
    words = np.asarray(seen.modes, dtype=object)
    names, counts = np.unique(words.astype(str), return_counts=True)
    often = sorted(((-count, name) for name, count in zip(names.tolist(), counts.tolist(), strict=True) if name != ANY_MODE))
    found = {name: np.asarray(words == name) for count, name in often[:MAX_MODES] if -count >= _LEAST_OF_MODE}
    return {ANY_MODE: np.ones(len(words), dtype=bool), **found}


def _metric(seen: Seen, filled: Array, index: int, modes: Mapping[str, NDArray[np.bool_]], interval_s: float) -> Metric:
    fresh, column = np.isfinite(seen.values[:, index]), filled[:, index]
    values = seen.values[fresh, index]
    smooth = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0) if len(values) >= 3 else values
    step = np.where(seen.paused[1:], 0.0, np.abs(np.nan_to_num(np.diff(column))))
    at_s = seen.t_s[fresh]
    gaps_s = np.diff(at_s)
    known = np.isfinite(column)
    levels, slow = {}, np.zeros(len(column))
    for mode, rows in modes.items():
        of_mode = column[rows & known]
        if len(of_mode) == 0:
            continue
        mean, spread = float(of_mode.mean()), float(of_mode.std())
        levels[mode] = Level(mean, spread, round(_still_s(column, rows & known, seen), 1))
    whole = levels[ANY_MODE]
    for mode, rows in modes.items():
        if mode in levels:
            level = levels[mode]
            slow[rows] = deviation(column[rows], level.mean, level.spread, whole.spread)
    drift = _drift(np.nan_to_num(slow), seen.paused, decay(interval_s))
    return Metric(
        name=seen.names[index],
        low=float(smooth.min()),
        high=float(smooth.max()),
        step=float(np.sort(step)[-min(3, len(step)) :][0]) if len(step) else 0.0,
        gap_s=round(float(gaps_s.max()), 1) if len(gaps_s) else 0.0,
        drift=round(drift, 4),
        changes=int((step > 0).sum()),
        turns=_turns(values),
        wanders=_wanders(values),
        levels=levels,
    )


def deviation(values: Array, mean: float | Array, spread: float | Array, whole: float | Array) -> Array:
    """How far values are from their mode's mean, in its spread; never less than a tenth of the spread over everything."""
    return np.asarray(np.clip((values - mean) / np.maximum(np.maximum(spread, 0.1 * whole), 1e-9), -10.0, 10.0))


def _still_s(column: Array, rows: NDArray[np.bool_], seen: Seen) -> float:
    """The longest time in a mode without a change, seconds."""
    same = np.zeros(len(column), dtype=bool)
    same[1:] = (column[1:] == column[:-1]) & rows[1:] & rows[:-1] & ~seen.paused[1:]
    starts = np.flatnonzero(~same)
    after = np.append(starts[1:], len(column))
    lasted_s = (seen.t_s[after - 1] - seen.t_s[starts])[rows[starts]]
    return float(lasted_s.max()) if len(lasted_s) else 0.0


def _drift(values: Array, paused: NDArray[np.bool_], alpha: float) -> float:
    """The farthest that a slow mean went from nothing."""
    slow = farthest = 0.0
    for value, pause in zip(values.tolist(), paused.tolist(), strict=True):
        slow = 0.0 if pause else slow + alpha * (value - slow)
        farthest = max(farthest, abs(slow))
    return farthest


def _wanders(values: Array) -> bool:
    if len(values) < 30:
        return False
    third = 2 * len(values) // 3
    before, after = values[:third], values[third:]
    low, high = np.quantile(before, [0.005, 0.995])
    room = _WANDERS * max(float(high - low), 1e-9)
    beyond_low, beyond_high = np.quantile(after, [0.02, 0.98])
    return bool(beyond_high > high + room or beyond_low < low - room)


def _turns(values: Array) -> int:
    """How often it went from the lower third of what it was to the upper third, or back."""
    low, high = np.quantile(values, [1 / 3, 2 / 3])
    sides = np.sign((values > high).astype(int) - (values < low).astype(int)) if high > low else np.sign(values - low)
    sides = sides[sides != 0]
    return int((sides[1:] != sides[:-1]).sum())


def _counts(values: Array) -> bool:
    """Whether it only rises, or only falls: an odometer never settles."""
    steps = np.diff(values)
    return bool((steps >= 0).all() or (steps <= 0).all())


def windows_of(filled: Array, seen: Seen, scale: Array) -> tuple[Array, list[str]]:
    """What is read of every _STRIDE-th window without a pause or a gap, shape (n, inputs), and the mode of each.

    Args:
        filled: of the joint metrics, shape (rows, metrics).
        seen: the rows.
        scale: of each metric, shape (metrics,).
    """
    ends, modes = [], []
    usable = np.isfinite(filled).all(axis=1)
    broken = np.cumsum(seen.paused)
    for end in range(WINDOW_ROWS - 1, len(filled), _STRIDE):
        first = end - WINDOW_ROWS + 1
        if broken[end] == broken[first] and usable[first]:
            ends.append(end)
            mode = seen.modes[end]
            modes.append(mode if all(other == mode for other in seen.modes[first:end]) else ANY_MODE)
    read = np.empty((len(ends), OF_EACH * filled.shape[1]))
    places = np.arange(1 - WINDOW_ROWS, 1)
    for first in range(0, len(ends), _CHUNK):
        some = np.asarray(ends[first : first + _CHUNK])
        read[first : first + _CHUNK] = inputs(filled[some[:, None] + places], scale)
    return read, modes


def _together(filled: Array, seen: Seen, modes: Mapping[str, NDArray[np.bool_]], joint: Sequence[Metric]) -> dict[str, Together]:
    least = max(_WINDOWS_AN_INPUT * OF_EACH * len(joint), 10 * _BLOCKS)
    read, of = windows_of(filled, seen, np.asarray([metric.levels[ANY_MODE].spread for metric in joint]))
    found = {}
    for mode in modes:
        mine = read if mode == ANY_MODE else read[[one == mode for one in of]]
        if len(mine) >= least:
            found[mode] = shape_of(mine)
    return found if ANY_MODE in found else {}


def shape_of(read: Array) -> Together:
    """A mode's shape, with its limit from blocks of time that are held out in turn. `read`: shape (windows, inputs), in their order."""
    lengths = []
    for block in np.array_split(np.arange(len(read)), _BLOCKS):
        # Windows next to a block overlap with it.
        near = slice(max(0, block[0] - WINDOW_ROWS), block[-1] + 1 + WINDOW_ROWS)
        others = np.delete(read, np.arange(near.start, min(near.stop, len(read))), axis=0)
        lengths.append(length(read[block], *whitening(others)))
    mean, whiten = whitening(read)
    limit = FACTOR * float(np.quantile(np.concatenate(lengths), QUANTILE))
    return Together(mean.tolist(), whiten.astype("<f4").tobytes(), limit, len(read))


def whitening(read: Array) -> tuple[Array, Array]:
    """Mean, shape (inputs,), and the matrix whose rows whiten, shape (inputs, inputs); shrunk, as there are few windows."""
    mean = read.mean(axis=0)
    centred = read - mean
    scale = np.maximum(centred.std(axis=0), 1e-3)
    unit = centred / scale
    n, size = unit.shape
    # Windows that overlap are one window in four at most.
    independent = max(1.0, n * _STRIDE / WINDOW_ROWS)
    shrink = min(0.9, size / (size + independent))
    cov = (1 - shrink) * (unit.T @ unit) / n + (shrink + 1e-3) * np.eye(size)
    return mean, np.linalg.inv(np.linalg.cholesky(cov)) / scale


def length(read: Array, mean: Array, whiten: Array) -> Array:
    """Length of whitened inputs, per square root of their number, shape (windows,)."""
    off = np.clip(read - mean, -FARTHEST, FARTHEST) @ whiten.T
    return np.asarray(np.sqrt(np.square(off).mean(axis=-1)))
