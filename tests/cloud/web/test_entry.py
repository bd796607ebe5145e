"""What the monitor makes of the ledger, of plans, and of trails. Pure: no database."""

from datetime import UTC, datetime
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody.liveness.judge import State
from croody.monitor import plan
from croody.monitor.entry import Delivery, Latest, Trail, as_number, delivery, entry, hole_s
from croody.monitor.page import trail_paths
from croody.telemetry.ingest.ledger import Entry
from croody.telemetry.read.delivery import Delivered
from croody_contract.ranges import count, of
from tests.cloud.web.helpers import PLAN

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def row(have=(), dead=(), dropped=(), last=0):
    return Delivered.of(Entry(tuple(have), tuple(dead), tuple(dropped), last))


def test_what_is_stored_or_dead_lettered_is_accounted_for():
    assert delivery(row(have=[(1, 7)], dead=[(8, 8)], last=8)) == Delivery(8, 8, 0, 0, 0)


def test_what_lies_between_is_missing_and_counted_in_holes():
    assert delivery(row(have=[(1, 2), (5, 6), (9, 9)], last=12)) == Delivery(5, 12, 7, 3, 0)


def test_what_was_declared_dropped_is_no_hole_but_is_not_received():
    assert delivery(row(have=[(1, 4)], dropped=[(5, 8)], last=8)) == Delivery(4, 8, 0, 0, 4)


def test_streams_add_up_and_a_robot_that_numbers_nothing_proves_nothing():
    assert delivery(row(have=[(1, 4)], last=4) + row(have=[(2, 2)], last=2)) == Delivery(5, 6, 1, 1, 0)
    assert delivery(None) == Delivery()


SEQS = st.sets(st.integers(1, 30))


@given(SEQS, SEQS, SEQS, st.integers(0, 30))
def test_received_missing_and_dropped_are_all_that_was_expected(have, dead, dropped, last):
    known_last = max([last, *have, *dead, *dropped])
    found = delivery(row(of(have), of(dead - have), of(dropped - dead - have), known_last))
    assert found.received + found.missing + found.dropped == found.expected == known_last
    assert found.received == count(of(have | dead))


def test_a_trail_keeps_two_minutes_and_skips_what_hardly_moved():
    trail = Trail()
    for second in range(200):
        trail.add(float(second), second * 0.5, 0.0)
        trail.add(second + 0.1, second * 0.5 + 0.01, 0.0)
    trail.forget(199.0)
    assert trail.steps[0].at == 79.0
    assert len(trail.steps) == 121
    assert not any(step.hole for step in trail.steps)


def test_a_trail_never_runs_backwards():
    trail = Trail()
    trail.add(10.0, 0.0, 0.0)
    trail.add(9.0, 5.0, 5.0)
    assert len(trail.steps) == 1


def test_no_line_is_drawn_across_a_hole():
    trail = Trail()
    for at, x_m in ((0.0, 0.0), (1.0, 1.0), (20.0, 15.0), (21.0, 16.0)):
        trail.add(at, x_m, 0.0)
    assert [step.hole for step in trail.steps] == [False, False, True, False]
    paths = trail_paths(trail, plan.draw(PLAN), 22.0)
    assert [path.count("M") for path in paths] == [0, 0, 2]
    assert paths[2].count("L") == 2


def test_a_robot_that_stands_makes_no_hole_and_a_slow_one_is_given_its_time():
    trail = Trail()
    for second in range(60):
        trail.add(float(second), 3.0, 3.0)
    trail.add(60.0, 4.0, 3.0)
    assert [step.hole for step in trail.steps] == [False, False]
    assert hole_s(None) == hole_s(1.0) == 5.0
    assert hole_s(10.0) == 25.0


def test_the_parts_of_a_trail_meet():
    trail = Trail()
    for second in range(120):
        trail.add(float(second), second * 0.3, 1.0)
    old, mid, new = trail_paths(trail, plan.draw(PLAN), 119.5)
    assert mid[1:].split("L")[0] == old.split("L")[-1]
    assert new[1:].split("L")[0] == mid.split("L")[-1]


@pytest.mark.parametrize("value", [True, "7", None, float("nan"), float("inf"), [1]])
def test_only_finite_numbers_are_numbers(value):
    assert as_number(value) is None


# Plans


def test_a_plan_is_drawn_in_its_own_proportions():
    drawing = plan.draw(PLAN)
    assert drawing is not None
    assert drawing.area.w / drawing.area.h == pytest.approx(40 / 24, rel=1e-3)
    assert drawing.place(0, 0) == (drawing.left, drawing.top)
    rack = drawing.racks[0]
    assert (rack.x, rack.y) == drawing.place(8, 3)
    assert len(rack.shelves) == 4


def test_the_unit_is_said_once():
    drawing = plan.draw(PLAN)
    assert drawing is not None
    assert [label.text for label in drawing.along_x] == ["0", "10", "20", "30", "40\u00a0m"]
    assert [label.text for label in drawing.along_y] == ["0", "10", "20"]


def test_a_site_without_a_plan_gets_a_grid_around_its_robots():
    drawing = plan.draw({}, [(3.0, 2.0), (17.0, 8.0)])
    assert drawing is not None
    assert drawing.bare
    assert drawing.along_x[-1].text == "20\u00a0m"
    assert plan.draw({}, []) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4), max_leaves=8
)


@given(
    st.dictionaries(
        st.sampled_from(["width_m", "height_m", "walls", "racks", "docks", "labels"]),
        JSON | st.lists(st.dictionaries(st.sampled_from(["x_m", "y_m", "w_m", "h_m", "name", "text"]), JSON, max_size=6), max_size=3),
    )
)
def test_no_plan_that_somebody_wrote_breaks_the_page(raw):
    drawing = plan.draw(raw, [(1.0, 1.0)])
    assert drawing is not None
    assert drawing.height <= 25 * plan.WIDTH
    assert sum(len(rack.shelves) for rack in drawing.racks) < 200


@pytest.mark.parametrize("length", [1e5, 1e9, 1.7e308, 10**400, -1e9])
def test_a_rack_as_long_as_a_town_or_a_floor_like_a_line_costs_nobody_the_page(length):
    box = {"x_m": 0, "y_m": 0, "w_m": length, "h_m": 1}
    drawing = plan.draw({"width_m": length, "height_m": 10, "racks": [box]}, [(3.0, 2.0)])
    assert drawing is not None
    assert drawing.bare
    assert drawing.racks == () or drawing.racks[0].shelves == ()
    assert isfinite(drawing.height)


def test_a_robot_that_says_it_is_beyond_the_stars_is_nowhere_and_the_others_keep_their_plan():
    told = [
        entry("rover-1", "bodega", "rover", State.ONLINE, Latest({"data": {"x_m": far, "y_m": 2.0}}, NOW), Delivery())
        for far in (1e300, -1e300, 10**400, 1e6)
    ]
    assert [(one.x_m, one.y_m) for one in told] == [(None, 2.0)] * 4
    assert plan.draw({}, [(90_000.0, 1.0)]).height <= 25 * plan.WIDTH
    assert plan.draw({}, [(1.0, 90_000.0)]).height <= 25 * plan.WIDTH


@pytest.mark.parametrize(
    ("x", "heading_deg", "side"), [(500, 90, "right"), (500, 270, "left"), (30, 270, "right"), (930, 90, "left"), (500, 0, "right")]
)
def test_a_name_stands_ahead_of_its_robot_where_it_has_room(x, heading_deg, side):
    from croody.monitor.words import side_of

    assert side_of(x, 938.0, heading_deg, 90.0) == side
