"""Which attacks were named, by whom and how soon, and what was named for nothing. Pure: labels and evidence in, results out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

#: Evidence of a window may stand so long after what made it, seconds.
_WINDOW_S: Final = 65.0
#: Seconds that evidence may come after the end of an attack and still be of it.
_LATE_S: Final = 5.0
_GAP_S: Final = 120.0
#: Evidence that stood within this before an attack is of something else, seconds.
_BEFORE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Interval:
    """One attack, as labelled. Times in seconds since 1970."""

    kind: str
    family: str
    technique: str
    addresses: tuple[str, ...]
    robot: bool
    first: float
    last: float


class Told(NamedTuple):
    """Evidence against somebody at one moment."""

    at: float
    offender: str
    code: str


@dataclass(frozen=True, slots=True)
class Named:
    """What became of an interval. `after_s`: from its start to its first evidence; None: none came. `codes`: of all evidence."""

    interval: Interval
    after_s: float | None
    codes: tuple[str, ...]


class False_(NamedTuple):
    """An incident for nothing."""

    offender: str
    first: float
    last: float
    codes: tuple[str, ...]


def named(intervals: Iterable[Interval], told: Sequence[Told]) -> list[Named]:
    """What became of each."""
    by_offender: defaultdict[str, list[Told]] = defaultdict(list)
    for one in told:
        by_offender[one.offender].append(one)
    return [_named(interval, [one for address in interval.addresses for one in by_offender.get(address, ())]) for interval in intervals]


def _named(interval: Interval, its: Iterable[Told]) -> Named:
    its = list(its)
    before = {one.code for one in its if interval.first - _BEFORE_S <= one.at < interval.first}
    fresh = [one for one in its if interval.first <= one.at <= interval.last + _LATE_S and one.code not in before]
    after_s = min((one.at for one in fresh), default=None)
    codes = tuple(dict.fromkeys(one.code for one in sorted(fresh)))
    return Named(interval, None if after_s is None else after_s - interval.first, codes)


def for_nothing(intervals: Sequence[Interval], told: Iterable[Told]) -> list[False_]:
    """Incidents of who did nothing then: evidence of one offender with gaps of less than two minutes."""
    found: list[False_] = []
    open_of: dict[str, False_] = {}
    for one in sorted(told):
        if any(one.offender in it.addresses and it.first - 1 <= one.at <= it.last + _WINDOW_S for it in intervals):
            continue
        before = open_of.get(one.offender)
        if before is not None and one.at - before.last <= _GAP_S:
            codes = before.codes if one.code in before.codes else (*before.codes, one.code)
            open_of[one.offender] = before._replace(last=one.at, codes=codes)
            continue
        if before is not None:
            found.append(before)
        open_of[one.offender] = False_(one.offender, one.at, one.at, (one.code,))
    return sorted([*found, *open_of.values()], key=lambda incident: incident.first)
