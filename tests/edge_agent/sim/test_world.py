"""The virtual warehouse: what stops a robot, ways through the aisles, docks and their queue."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_edge.sim.plan import BODEGA, Plan, load, parse
from croody_edge.sim.route import ROOM_M, Routes
from croody_edge.sim.world import RADIUS_M, World

PLAN = load()
WORLD = World(PLAN)
ROUTES = Routes(WORLD)


def test_the_warehouse_has_what_its_drawing_shows() -> None:
    assert [rack.name for rack in PLAN.racks] == [f"{row}{n}" for row in "AB" for n in range(1, 7)]
    assert len(PLAN.docks) == 4
    assert all(dock.x_m < 4 for dock in PLAN.docks), "the docks are at the left"
    assert (PLAN.width_m, PLAN.height_m) == (40, 24)
    raw = json.loads(BODEGA.read_text(encoding="utf-8"))
    assert {label["text"] for label in raw["labels"]} == {"Carga", "Muelle"}
    door = PLAN.doors[0]
    assert any(wall[2:] == door[2:] or wall[:2] == door[2:] for wall in PLAN.walls), "the wall has its gap where the door is"


def test_racks_walls_and_the_edge_of_the_plan_stop_a_robot_and_aisles_do_not() -> None:
    rack = PLAN.racks[0]
    assert not WORLD.free(*rack.centre)
    assert not WORLD.free(rack.x_m - RADIUS_M + 0.05, rack.y_m + 1)
    assert WORLD.free(rack.x_m - RADIUS_M - 0.05, rack.y_m + 1)
    assert not WORLD.free(0.2, 12)
    assert not WORLD.free(24, 23.8), "the door is for people and pallets"
    assert not WORLD.free(-5, -5)
    assert WORLD.free(*PLAN.docks[0].centre)
    assert not WORLD.way_free(6.7, 5.0, 11.3, 5.0), "rack A1 stands between these two spots"
    assert WORLD.way_free(6.7, 2.0, 11.3, 2.0)


spots = st.tuples(st.floats(0, PLAN.width_m), st.floats(0, PLAN.height_m))


@given(spots, spots)
def test_a_way_between_any_two_spots_keeps_clear_of_everything(start: tuple[float, float], goal: tuple[float, float]) -> None:
    way = ROUTES.way(start, goal)
    for (x1, y1), (x2, y2) in pairwise(way):
        assert x1 == x2 or y1 == y2, "aisles are driven along, not across"
        steps = max(1, int((abs(x2 - x1) + abs(y2 - y1)) / 0.25))
        for i in range(steps + 1):
            assert WORLD.clearance_m(x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps) >= ROOM_M - 1e-9


def test_a_way_is_as_short_as_the_aisles_allow() -> None:
    way = ROUTES.way((7.0, 6.0), (11.0, 6.0))
    length = sum(abs(x2 - x1) + abs(y2 - y1) for (x1, y1), (x2, y2) in pairwise(way))
    assert length == pytest.approx(4 + 2 * 4), "over the top of A1: four metres up, four across, four down"


def test_spots_that_a_wall_cuts_off_are_said_to_have_no_way() -> None:
    rack = {"name": "R", "x_m": 30, "y_m": 5, "w_m": 1, "h_m": 1}
    walled = parse({**json.loads(BODEGA.read_text(encoding="utf-8")), "walls": [[20, 0, 20, 24]], "racks": [rack]})
    with pytest.raises(ValueError, match="cuts them off"):
        Routes(World(walled)).way((5, 5), (25, 20))


def test_a_step_south_is_a_lower_latitude_by_as_many_metres() -> None:
    lat, lng = WORLD.globe(0, 0)
    south, _ = WORLD.globe(0, 10)
    _, east = WORLD.globe(10, 0)
    assert (lat - south) * 111_320 == pytest.approx(10)
    assert (east - lng) * 110_950 == pytest.approx(10, rel=1e-3)


def test_docks_are_given_out_once_and_in_the_order_of_asking() -> None:
    world = World(PLAN)
    first = [world.take_dock(f"r{n}", wait=True) for n in range(6)]
    assert [dock is not None for dock in first] == [True] * 4 + [False] * 2
    assert world.take_dock("r0") == first[0], "asking again keeps the dock"
    world.leave_dock("r2")
    assert world.take_dock("r5", wait=True) is None, "r4 asked before r5"
    assert world.take_dock("hurried") is None
    assert world.take_dock("r4", wait=True) == first[2]


def test_a_broken_plan_names_the_file_and_the_field(tmp_path: object) -> None:
    path = BODEGA.parent / "no-such-plan.json"
    with pytest.raises(OSError, match="no-such-plan"):
        load(path)
    raw = json.loads(BODEGA.read_text(encoding="utf-8"))
    with pytest.raises(KeyError, match="docks"):
        parse({name: value for name, value in raw.items() if name != "docks"})
    with pytest.raises(ValueError, match="width_m"):
        parse({**raw, "width_m": 0})
    assert isinstance(parse(raw), Plan)


def test_from_every_spot_where_a_robot_can_be_the_first_leg_of_its_way_is_free() -> None:
    for i in range(5, 396, 3):
        for j in range(5, 236, 3):
            spot = i / 10, j / 10
            if WORLD.free(*spot):
                i0, j0 = ROUTES.nearest(spot)
                assert WORLD.way_free(*spot, i0 * 0.5, j0 * 0.5), spot
