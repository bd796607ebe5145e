"""The order of a robot's streams, told by which names which as the one before it, never by a clock. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise


def arrange(order: Sequence[str], prev_of: Mapping[str, str | None], stream: str, prev: str | None, *, historical: bool) -> list[str]:
    """The order after `stream` spoke: for the first time, or live for the first time.

    Whatever the order in which streams are heard of, each one comes after the one that it names.

    Args:
        order: the robot's streams known so far, oldest first. `stream` is among them when it was heard or named before.
        prev_of: what each of them named before.
        stream: who speaks.
        prev: whom it names, None for nobody.
        historical: it speaks of the past. A stream that speaks live and that nobody names is the newest one.
    """
    out = list(order)
    successor = next((index for index, name in enumerate(out) if name != stream and prev_of.get(name) == stream), None)
    if not historical and successor is None:
        out = [name for name in out if name != stream]
        out.append(stream)
    elif stream not in out:
        out.insert(_spot(out, prev_of, prev, successor), stream)
    if prev is None or prev == stream:
        return out
    if prev not in out:
        out.insert(out.index(stream), prev)
        return out
    at = out.index(stream)
    chain = _chain(prev, prev_of)
    if out.index(prev) > at and stream not in chain:
        # It came before its successor was known to be one: with all before it, it moves to where it belongs.
        moved = [name for name in out[at:] if name in chain]
        out = out[:at] + moved + [name for name in out[at:] if name not in chain]
    return out


def _spot(order: Sequence[str], prev_of: Mapping[str, str | None], prev: str | None, successor: int | None) -> int:
    """Where a stream that was not heard of before goes: before its successor, else after `prev`, else before the newest chain."""
    if successor is not None:
        return successor
    if prev in order:
        return order.index(prev) + 1
    if not order:
        return 0
    newest = _chain(order[-1], prev_of)
    return next(index for index, name in enumerate(order) if name in newest)


def _chain(stream: str, prev_of: Mapping[str, str | None]) -> set[str]:
    """`stream` and all before it, as far as they name each other."""
    found: set[str] = set()
    name: str | None = stream
    while name is not None and name not in found:
        found.add(name)
        name = prev_of.get(name)
    return found


def spread(order: Sequence[str], place_of: Mapping[str, float]) -> dict[str, float]:
    """Places that rise along `order`.

    As many as can keep the place they have: folded streams lie between them, are not looked at, and keep theirs.

    Args:
        order: a robot's streams, oldest first.
        place_of: the places of those that have one.
    """
    kept = _longest_rise([(name, place_of[name]) for name in order if name in place_of])
    out: dict[str, float] = {}
    waiting: list[str] = []
    low: float | None = None
    for name in order:
        if name not in kept:
            waiting.append(name)
            continue
        out |= _between(waiting, low, place_of[name])
        waiting, low = [], place_of[name]
        out[name] = low
    out |= _between(waiting, low, None)
    places = list(out.values())
    if all(before < after for before, after in pairwise(places)):
        return out
    # Between two neighbours there is no number left.
    start = min(place_of.values(), default=1.0)
    return {name: start + index for index, name in enumerate(order)}


def _longest_rise(pairs: Sequence[tuple[str, float]]) -> set[str]:
    """The names of the longest strictly rising subsequence."""
    tails: list[int] = []
    before: list[int | None] = []
    for index, (_, place) in enumerate(pairs):
        spot = bisect_left(tails, place, key=lambda tail: pairs[tail][1])
        before.append(tails[spot - 1] if spot else None)
        tails[spot : spot + 1] = [index]
    found: set[str] = set()
    at = tails[-1] if tails else None
    while at is not None:
        found.add(pairs[at][0])
        at = before[at]
    return found


def _between(names: Sequence[str], low: float | None, high: float | None) -> dict[str, float]:
    """Places for `names`, above `low` and below `high`."""
    count = len(names)
    if low is None:
        first, step = (1.0 if high is None else high - count), 1.0
    else:
        step = 1.0 if high is None else (high - low) / (count + 1)
        first = low + step
    return {name: first + index * step for index, name in enumerate(names)}
