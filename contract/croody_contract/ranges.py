"""Sets of sequence numbers as closed ranges. Pure; both ends of the wire and the ledger count with it.

A `Ranges` value is a tuple of (first, last) pairs, both included, ascending, never touching: ((1, 4), (7, 7)).
"""

from bisect import bisect_right
from collections.abc import Iterable
from math import inf

Range = tuple[int, int]
Ranges = tuple[Range, ...]

EMPTY: Ranges = ()


def normalise(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Sort, join what overlaps or touches.

    Raises:
        ValueError: a pair whose first is after its last.
    """
    out: list[Range] = []
    for first, last in sorted(pairs):
        if first > last:
            raise ValueError(f"range [{first}, {last}] ends before it begins: put the smaller number first")
        if out and first <= out[-1][1] + 1:
            if last > out[-1][1]:
                out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return tuple(out)


def of(seqs: Iterable[int]) -> Ranges:
    """The set that holds exactly these numbers."""
    return normalise((seq, seq) for seq in seqs)


def union(left: Ranges, right: Ranges) -> Ranges:
    """Numbers in either set."""
    if not left or not right:
        return left or right
    return normalise((*left, *right))


def subtract(left: Ranges, right: Ranges) -> Ranges:
    """Numbers in `left` and not in `right`."""
    out: list[Range] = []
    index = 0
    for first, last in left:
        while index < len(right) and right[index][1] < first:
            index += 1
        cursor = index
        while cursor < len(right) and right[cursor][0] <= last:
            if right[cursor][0] > first:
                out.append((first, right[cursor][0] - 1))
            first = right[cursor][1] + 1
            cursor += 1
        if first <= last:
            out.append((first, last))
    return tuple(out)


def intersect(left: Ranges, right: Ranges) -> Ranges:
    """Numbers in both sets."""
    return subtract(left, subtract(left, right))


def contains(ranges: Ranges, seq: int) -> bool:
    """Say whether `seq` is in the set."""
    index = bisect_right(ranges, (seq, inf))
    return index > 0 and seq <= ranges[index - 1][1]


def count(ranges: Ranges) -> int:
    """How many numbers the set holds."""
    return sum(last - first + 1 for first, last in ranges)


def last(ranges: Ranges) -> int:
    """The greatest number in the set, 0 when it is empty."""
    return ranges[-1][1] if ranges else 0


def members(ranges: Ranges) -> Iterable[int]:
    """Every number of the set, ascending. Meant for small sets."""
    for first, end in ranges:
        yield from range(first, end + 1)
