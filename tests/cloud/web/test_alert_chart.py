"""The small chart of an alarm: a hole is a hole."""

from croody.console.alerts.chart import HEIGHT, WIDTH, across, draw


def test_a_line_ends_where_nothing_came_and_the_hole_has_its_place():
    drawn = draw([1.0, 2.0, 3.0, None, None, None, None, 4.0, 5.0, 6.0, None])
    assert drawn is not None
    assert len(drawn.paths) == 2
    assert drawn.holes == ((120.0, 300.0),)
    assert drawn.dots == ()


def test_slow_readings_are_no_holes_and_silence_at_the_end_is_one():
    every_third = [1.0 if place % 3 == 0 else None for place in range(60)]
    drawn = draw(every_third)
    assert drawn is not None
    assert (len(drawn.paths), drawn.holes) == (1, ())
    silent = draw([*every_third[:31], *[None] * 29])
    assert silent is not None
    ((begins, width),) = silent.holes
    assert round(begins + width) == WIDTH


def test_a_flat_line_one_reading_and_none_at_all():
    flat = draw([5.0, 5.0, 5.0])
    assert flat is not None
    assert flat.low < 5 < flat.high
    assert all(0 <= float(point.split()[1]) <= HEIGHT for point in flat.paths[0].removeprefix("M").split("L"))
    alone = draw([None, None, None, None, 7.0, None, None, None, None])
    assert alone is not None
    assert (alone.paths, len(alone.dots)) == ((), 1)
    assert draw([None, None]) is None
    assert draw([]) is None


def test_a_moment_has_its_place_or_none():
    at = [100, 110, 120]
    assert [across(at, moment) for moment in (99, 100, 115, 120, 121)] == [None, 0.0, 450.0, 600.0, None]
    assert across([100], 100) is None
