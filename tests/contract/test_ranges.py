"""Sets of sequence numbers, held against Python's own sets."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_contract import ranges

NUMBERS = st.sets(st.integers(1, 60), max_size=40)


def well_formed(value: ranges.Ranges) -> bool:
    return all(first <= last for first, last in value) and all(a[1] + 1 < b[0] for a, b in pairwise(value))


@given(NUMBERS, NUMBERS)
def test_they_count_as_sets_do(left: set[int], right: set[int]):
    a, b = ranges.of(left), ranges.of(right)
    for found, wanted in (
        (ranges.union(a, b), left | right),
        (ranges.subtract(a, b), left - right),
        (ranges.intersect(a, b), left & right),
    ):
        assert well_formed(found)
        assert set(ranges.members(found)) == wanted
    assert ranges.count(a) == len(left)
    assert ranges.last(a) == max(left, default=0)
    assert all(ranges.contains(a, number) == (number in left) for number in range(62))


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair)))))
def test_pairs_in_any_order_that_overlap_or_touch_become_one_set(pairs: list[tuple[int, int]]):
    wanted = {number for first, last in pairs for number in range(first, last + 1)}
    found = ranges.normalise(pairs)
    assert well_formed(found)
    assert set(ranges.members(found)) == wanted


def test_a_pair_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match=r"\[5, 4\] ends before it begins"):
        ranges.normalise([(5, 4)])
