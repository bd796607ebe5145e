"""The sensor model is loaded for a robot that it knows, and for no other."""

import logging
from random import Random

import pytest

from croody_contract import windows
from croody_contract.limits import MAX_METRICS
from croody_contract.messages import Reading, Record, Value
from croody_edge.faults import Faults
from croody_edge.screen import Screen
from croody_edge.screen.on_demand import ScreenOnDemand
from croody_edge.screen.sensors import SensorScreen
from croody_edge.sources.host import HostSource
from croody_edge.sources.sampler import Sampler
from croody_edge.sources.sim import SimSource, Site

NOW = 1_790_000_000.0


def never() -> Screen | None:
    raise AssertionError("loaded for a robot that it does not know")


def test_a_machine_that_is_no_such_robot_loads_no_model_and_is_told_so_once(caplog: pytest.LogCaptureFixture) -> None:
    screen, source = ScreenOnDemand(never), HostSource()
    with caplog.at_level(logging.INFO, "croody.screen"):
        for second in range(20):
            reading = source.read(NOW + second)
            assert reading is not None
            assert screen.offer(reading, NOW + second) == (None, [])
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["screening is off"]


def test_a_robot_that_it_knows_is_scored_by_the_real_model_from_its_first_window_on() -> None:
    loads: list[Screen] = []

    def load() -> Screen:
        loads.append(SensorScreen(rng=Random(1)))
        return loads[-1]

    site = Site(seed=3)
    screen, source = ScreenOnDemand(load), SimSource(site.robot("rover-alice", 0, "calm"), site)
    scores = []
    for second in range(windows.WINDOW_ROWS + 20):
        reading = source.read(NOW + second)
        assert reading is not None
        scores.append(screen.offer(reading, NOW + second)[0])
    assert len(loads) == 1
    assert [score is None for score in scores] == [True] * windows.WINDOW_ROWS + [False] * 20


def test_where_the_model_cannot_run_readings_pass_unscreened_and_it_is_tried_once() -> None:
    asked: list[int] = []

    def load() -> Screen | None:
        asked.append(1)
        return None

    screen = ScreenOnDemand(load)
    fitting = Reading(data=dict.fromkeys(windows.METRICS, 1.0))
    nothing: tuple[float | None, list[Record]] = (None, [])
    assert [screen.offer(fitting, NOW + second) for second in range(3)] == [nothing] * 3
    assert asked == [1]


def test_a_robot_with_other_sensors_gets_no_note_and_one_whose_readings_are_slow_does() -> None:
    other = Sampled(ScreenOnDemand(SensorScreen))
    assert not any("screening" in reading.data for reading in other.readings(20, {"cpu_pct": 3.0}))
    slow = Sampled(ScreenOnDemand(SensorScreen))
    found = slow.readings(40, dict.fromkeys(windows.METRICS, 1.0))
    assert [reading.data.get("screening") for reading in found[-3:]] == ["readings_too_slow"] * 3
    full = dict.fromkeys((*windows.METRICS, *(f"m{number}" for number in range(MAX_METRICS - len(windows.METRICS)))), 1.0)
    assert all(len(reading.data) == MAX_METRICS for reading in slow.readings(5, full)), "a note never makes a reading too wide"


class Sampled:
    """Readings every five seconds as the sampler hands them on."""

    interval_s = 5.0

    def __init__(self, screen: Screen) -> None:
        self.data: dict[str, Value] = {}
        self.now = NOW
        self.sampler = Sampler(self, screen, Faults("rover-alice", lambda event: None, lambda: NOW), lambda: self.now, lambda: None)
        self.sampler.start()

    def read(self, now: float) -> Reading:
        return Reading(data=self.data)

    def close(self) -> None:
        """Nothing to give back."""

    def readings(self, count: int, data: dict[str, Value]) -> list[Reading]:
        self.data = data
        found: list[Reading] = []
        for _ in range(count):
            found += [record for record in self.sampler.take(self.now, self.now) if isinstance(record, Reading)]
            self.now += self.interval_s
        return found
