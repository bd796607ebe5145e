"""The virtual robot: it drives, heats up, drains and charges, breaks when told to, and lives the same life under the same seed."""

from collections import Counter

import pytest

from croody_contract.messages import Reading, check_record
from croody_edge.sim.robot import STEP_S, Robot
from croody_edge.sim.world import RADIUS_M
from croody_edge.sources.sim import SimSource, Site


def robots(count: int = 1, *, seed: int = 7, scenario: str = "calm") -> tuple[Site, list[Robot]]:
    site = Site(seed=seed)
    return site, [site.robot(f"robot-{number}", number, scenario) for number in range(count)]


def live(bots: list[Robot], seconds: float) -> None:
    for _ in range(round(seconds / STEP_S)):
        for bot in bots:
            bot.step()


def test_the_same_seed_lives_the_same_life_and_another_seed_another() -> None:
    lives = []
    for seed in (7, 7, 8):
        _, bots = robots(3, seed=seed)
        live(bots, 300)
        lives.append([bot.sense() for bot in bots])
    assert lives[0] == lives[1]
    assert lives[0] != lives[2]


def test_looking_at_a_robot_does_not_change_where_it_goes() -> None:
    _, (watched,) = robots()
    _, (alone,) = robots()
    for _ in range(1500):
        watched.step()
        watched.sense()
        alone.step()
    assert (watched.x_m, watched.y_m, watched.drive) == (alone.x_m, alone.y_m, alone.drive)


def test_for_an_hour_no_robot_touches_a_rack_or_a_wall_and_all_of_them_charge() -> None:
    site, bots = robots(6)
    did: list[Counter[str]] = [Counter() for _ in bots]
    lowest = 100.0
    for _ in range(3600):
        live(bots, 1)
        for seen, bot in zip(did, bots, strict=True):
            assert site.world.clearance_m(bot.x_m, bot.y_m) >= RADIUS_M
            seen[bot.status] += 1
            lowest = min(lowest, bot.drive.battery_pct)
    assert all(seen["moving"] > 1200 and seen["idle"] > 300 and seen["charging"] > 60 for seen in did), did
    assert all(seen["blocked"] == 0 for seen in did)
    assert 5 < lowest < 28, "they go to a dock when the battery is low, and get there"


def test_a_robot_moves_no_faster_than_it_can() -> None:
    _, (bot,) = robots()
    for _ in range(5000):
        x, y = bot.x_m, bot.y_m
        bot.step()
        assert abs(bot.x_m - x) + abs(bot.y_m - y) <= 1.2 * STEP_S * 1.42 + 1e-9


def test_only_one_robot_stands_in_a_dock_however_many_want_one() -> None:
    _, bots = robots(20)
    for _ in range(1800):
        live(bots, 1)
        charging = [bot for bot in bots if bot.status == "charging"]
        assert len({(bot.x_m, bot.y_m) for bot in charging}) == len(charging) <= 4


def test_a_motor_heats_while_it_works_and_cools_while_it_rests() -> None:
    _, (bot,) = robots()
    temps: dict[str, list[float]] = {"moving": [], "charging": []}
    before = bot.drive.motor_temp_c
    for _ in range(3600):
        live([bot], 1)
        if bot.status in temps:
            temps[bot.status].append(bot.drive.motor_temp_c - before)
        before = bot.drive.motor_temp_c
    assert sum(temps["moving"]) > 10
    assert sum(temps["charging"]) < -3


def test_the_air_is_warm_by_the_chargers_and_windy_at_the_door() -> None:
    site, _ = robots()
    times = range(0, 3600, 60)

    def mean(x: float, y: float, name: str) -> float:
        return sum(getattr(site.climate.at(x, y, t), name) for t in times) / len(times)

    assert mean(2, 9, "temp_c") > mean(36, 12, "temp_c") + 1
    assert mean(20, 2, "temp_c") > mean(20, 20, "temp_c") + 1
    assert mean(24, 22.5, "wind_mps") > 5 * mean(10, 4, "wind_mps")
    assert all(740 < site.climate.at(20, 12, t).pres_hpa < 760 for t in range(0, 90_000, 500))


def test_a_bad_bearing_draws_more_current_and_heats_more_than_a_sound_one() -> None:
    _, (sound,) = robots()
    _, (worn,) = robots(scenario="bearing")
    live([sound, worn], 89)
    assert sound.drive == worn.drive
    currents: list[tuple[float, float]] = []
    for _ in range(300):
        live([sound, worn], 1)
        if sound.speed_mps > 0.5:
            currents.append((sound.drive.motor_current_a, worn.drive.motor_current_a))
    assert sum(b for _, b in currents) > 1.3 * sum(a for a, _ in currents)
    assert worn.drive.motor_temp_c > sound.drive.motor_temp_c + 10


def test_a_blocked_wheel_stops_the_robot_and_it_says_so() -> None:
    _, (bot,) = robots(scenario="wheel")
    live([bot], 95)
    while bot.status != "blocked":
        live([bot], STEP_S)
        assert bot.t_s < 150
    where = bot.x_m, bot.y_m
    live([bot], 5)
    assert (bot.x_m, bot.y_m) == where
    assert bot.drive.motor_current_a > 5
    assert bot.nudge("UP") is bot.nudge("DOWN") is False, "nor can it be moved by hand"
    live([bot], 120)
    assert bot.status != "blocked"


def test_a_weak_cell_empties_the_battery_faster() -> None:
    _, (sound,) = robots(seed=3)
    _, (weak,) = robots(seed=3, scenario="battery")
    live([sound, weak], 90)
    start = weak.drive.battery_pct
    live([sound, weak], 60)
    assert start - weak.drive.battery_pct > 2.5 * (start - sound.drive.battery_pct)


def test_a_fleet_in_default_operation_is_calm_for_its_first_half_hour() -> None:
    _, bots = robots(20, scenario="default")
    for _ in range(60):
        live(bots, 30)
        assert all(bot.wear.bearing == bot.wear.cell == bot.wear.wheel == 0 for bot in bots)


def test_an_unknown_scenario_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'earthquake': choose one of default, calm, fault"):
        robots(scenario="earthquake")


def test_moving_by_hand_goes_half_a_metre_and_stops_at_a_rack() -> None:
    site, (bot,) = robots()
    bot.x_m, bot.y_m = 7.0, 6.0
    assert bot.nudge("UP")
    assert (bot.x_m, bot.y_m) == (7.0, 5.5)
    assert bot.heading_deg == 0
    assert bot.status == "moving"
    assert bot.nudge("RIGHT")
    assert not bot.nudge("RIGHT"), "rack A1 begins at 8.0 m and the robot has a radius of 0.4 m"
    assert (bot.x_m, bot.y_m) == (7.5, 5.5)
    live([bot], 10)
    assert (bot.x_m, bot.y_m) == (7.5, 5.5), "it waits for the next move"
    assert bot.status == "idle"
    live([bot], 60)
    assert (bot.x_m, bot.y_m) != (7.5, 5.5), "and then goes on by itself"
    assert site.world.free(bot.x_m, bot.y_m)
    with pytest.raises(ValueError, match="SIDEWAYS"):
        bot.nudge("SIDEWAYS")


def test_a_robot_led_into_a_corner_by_hand_finds_its_way_out() -> None:
    site, (bot,) = robots()
    for direction in ("LEFT", "UP"):
        bot.x_m, bot.y_m = (2.0, 2.0) if direction == "LEFT" else (bot.x_m, bot.y_m)
        while bot.nudge(direction):
            pass
    assert site.world.clearance_m(bot.x_m, bot.y_m) < 0.9, "closer to the walls than any way goes"
    for _ in range(600):
        live([bot], 1)
        assert site.world.free(bot.x_m, bot.y_m)
    assert bot.x_m + bot.y_m > 4


def test_a_reading_carries_every_metric_in_its_range_and_the_place_on_the_globe() -> None:
    site, (bot,) = robots()
    source = SimSource(bot, site)
    for now in range(1000, 1600):
        reading = source.read(float(now))
        assert isinstance(reading, Reading)
        check_record(reading)
    assert set(reading.data) == {
        "TEMP", "HUM", "PRES", "WIND", "speed_mps", "battery_pct", "x_m", "y_m", "heading_deg", "motor_temp_c", "motor_current_a",
    }  # fmt: skip
    assert 10 < float(reading.data["TEMP"]) < 30
    assert 0 <= float(reading.data["heading_deg"]) < 360
    assert reading.position is not None
    assert reading.position.lat == pytest.approx(4.675, abs=0.001)
    assert reading.environment == "bodega"
    assert reading.ts is not None
    assert reading.ts.timestamp() == 1599


def test_time_in_the_world_follows_the_clock_but_not_where_it_jumps() -> None:
    site, (bot,) = robots()
    source = SimSource(bot, site, interval_s=2.0)
    source.read(1000.0)
    source.read(1005.0)
    assert bot.t_s == pytest.approx(2 + 5)
    source.read(1005.0 + 3 * 365 * 86400)
    assert bot.t_s == pytest.approx(2 + 5 + 2)
    source.read(10.0)
    assert bot.t_s == pytest.approx(2 + 5 + 2 + 2)
