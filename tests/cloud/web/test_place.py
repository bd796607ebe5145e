"""Where a listener stands: whatever commits when, and wherever it is cut off, it gets every row once."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from croody.live.cursor import MOST_RUNS, Place, along
from croody.telemetry.read.follow import Follower
from croody_contract import ranges


@pytest.mark.parametrize("text", ["0", "4711", "4711-4700.4703_4705", "9-1"])
def test_a_place_is_written_as_it_is_read(text: str):
    assert str(Place.parse(text)) == text


@pytest.mark.parametrize("text", ["", "abc", "-1", "1.5", "٣", "9" * 19, "1\n2", "5-7", "5-3_2", "5-", "99999-1_99998", "9-1."])
def test_a_place_that_we_never_gave_is_none(text: str):
    assert Place.parse(text) is None


def test_with_more_holes_than_an_event_can_name_what_follows_them_comes_again():
    place = Place(1000, tuple((number, number) for number in range(501, 501 + 2 * MOST_RUNS + 2, 2)))
    assert str(place) == "500"


def test_a_feed_that_fills_a_hole_stands_where_it_stood():
    before = Follower(high=5).after([9], 0.0)
    after = before.after([6, 10, 12], 1.0)
    told = [str(place) for place in along(Place.of(before), [6, 10, 12], Place.of(after))]
    assert told == ["9-7_8", "10-7_8", "12-7_8.11"]


def table_at(there: set[int]) -> Place:
    """What `from_now` says of a table with these ids."""
    high = max(there, default=0)
    return Place(high, Place.of(Follower(high, tuple((hole, 0.0) for hole in range(1, high) if hole not in there))).holes)


@settings(max_examples=300)
@given(st.permutations(range(1, 25)), st.integers(0, 2**32))
def test_every_row_comes_once_however_often_the_listener_is_cut_off(commits: list[int], seed: int):
    choose = Random(seed)
    there: set[int] = set()
    heard: list[int] = []
    waiting = list(commits)

    def commit(most: int) -> None:
        for _ in range(choose.randint(0, most)):
            if waiting:
                there.add(waiting.pop())

    told = "0"
    for _ in range(200):
        commit(4)
        place = Place.parse(told)
        assert place is not None
        newest = table_at(there)
        commit(2)
        limit = choose.randint(1, 6)
        late = sorted(number for first, last in place.holes for number in range(first, last + 1) if number in there)
        new = sorted(number for number in there if place.high < number <= newest.high)[:limit]
        rows = [*late, *new]
        after = place.after(rows, newest, new[-1] if len(new) == limit else newest.high)
        places = list(along(place, rows, after))
        got = choose.randint(min(1, len(rows)), len(rows))
        heard += rows[:got]
        if got:
            told = str(places[got - 1])
    assert sorted(heard) == sorted(commits)


@pytest.mark.parametrize("seed", range(20))
def test_a_place_covers_another_when_it_saw_all_of_it(seed: int):
    random = Random(seed)
    for _ in range(50):
        here, there = (
            Place(high, ranges.of(hole for hole in range(1, high) if random.random() < 0.3)) for high in random.choices(range(1, 9), k=2)
        )
        saw = {number for number in range(1, 12) if here.has(number)}
        assert saw == set(range(1, here.high + 1)) - set(ranges.members(here.holes))
        assert here.covers(there) == all(number in saw for number in range(1, 12) if there.has(number))
