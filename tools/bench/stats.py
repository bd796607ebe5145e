"""What many latencies and many commits come to. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that `share` (0 to 1) of all values do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("percentile: no values: nothing arrived, so there is no latency to speak of")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def within(moments: Sequence[float], start: float, end: float) -> int:
    """How many of the ascending `moments` lie in [start, end)."""
    return bisect_left(moments, end) - bisect_left(moments, start)


def sustained(served: Sequence[tuple[float, float]], seconds: float, *, late_s: float = 0.5, least_s: float = 3.0) -> float:
    """How many a second were served while not all could be; while the offer rose, that is the ceiling.

    A burst out of a queue that a stall has filled is no ceiling. So the count begins when one was served in time for the last
    time, and ends with the last one of all: stalls and bursts between weigh what they are. Some programs serve nothing while they
    are offered too much, and everything afterwards; that counts too. Who kept up has served the last `least_s` of the offer, and no more.

    Args:
        served: when each was due, and how long it took from then, in seconds.
        seconds: how long the offer lasted.
        late_s: what takes longer was not in time.
        least_s: the shortest time that counts.
    """
    if not served:
        return 0.0
    ends = sorted(due + took for due, took in served)
    start = max((due for due, took in served if took <= late_s), default=0.0)
    if ends[-1] - start >= least_s:
        return within(ends, start, ends[-1]) / (ends[-1] - start)
    start = max(0.0, seconds - least_s)
    return min(within(ends, start, seconds), within(sorted(due for due, _ in served), start, seconds)) / (seconds - start)


def longest_run(samples: Sequence[tuple[float, bool]]) -> float:
    """The longest time in seconds over which every sample in a row was true, from the first such sample to the last."""
    longest, since = 0.0, None
    for at, held in samples:
        if not held:
            since = None
            continue
        since = at if since is None else since
        longest = max(longest, at - since)
    return longest
