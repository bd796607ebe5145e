"""Sources in threads of their own: what they hand over is kept, bounded and accounted for, and none costs another."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from croody_contract.messages import Event, Reading
from croody_edge.agent import Agent
from croody_edge.faults import Faults
from croody_edge.sources import HandOver, PullSource, Said, Source
from croody_edge.sources.listener import Listener
from croody_edge.sources.rack import Configured, Rack
from croody_edge.sources.runner import MOST_WAITING, RETRY_S
from croody_edge.sources.shape import Report
from tests.edge_agent.conftest import Driven
from tests.edge_agent.doubles import Broker, Cloud, Counting, reading, settings, wait_until

NOW = 1_790_000_000.0


class Bell:
    """A source that rings when the test says so."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.closed = failures, False
        self.hand_over: Callable[[Said], bool] = lambda _: False

    def start(self, hand_over: HandOver) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("no bell at the door")
        self.hand_over = hand_over

    def close(self) -> None:
        self.closed = True


class Shelf:
    """A rack, and what it told the cloud, on a clock that the test moves on."""

    def __init__(self, **sources: Source | Configured) -> None:
        self.ahead_s = 0.0
        self.told: list[Event] = []
        faults = Faults("rover-alice", self.told.append, lambda: NOW)
        some = [one if isinstance(one, Configured) else Configured(name, _give(one)) for name, one in sources.items()]
        self.rack = Rack(some, faults, lambda: NOW, self.mono_s, lambda: None)
        self.rack.start()

    def mono_s(self) -> float:
        return time.monotonic() + self.ahead_s

    def take(self, most: int = 10_000) -> list[Said]:
        return [said for _, said in self.rack.take(NOW, self.mono_s(), most)]

    def numbers(self, most: int = 10_000) -> list[object]:
        return [said.data["n"] for said in self.take(most) if isinstance(said, Reading)]


def _give(source: Source) -> Callable[[], Source]:
    return lambda: source


@pytest.fixture
def shelf() -> Iterator[Callable[..., Shelf]]:
    made: list[Shelf] = []

    def make(**sources: Source | Configured) -> Shelf:
        made.append(Shelf(**sources))
        return made[-1]

    yield make
    for one in made:
        one.rack.close()


def ringing(shelf: Callable[..., Shelf]) -> tuple[Shelf, Bell]:
    bell = Bell()
    before = bell.hand_over
    made = shelf(bell=bell)
    assert wait_until(lambda: bell.hand_over is not before)
    return made, bell


def test_what_is_handed_over_is_taken_in_order_and_once(shelf: Callable[..., Shelf]) -> None:
    made, bell = ringing(shelf)
    assert all(bell.hand_over(reading(number)) for number in range(5))
    assert made.rack.wait_s() == 0.0
    assert (made.numbers(3), made.numbers(3), made.numbers(3)) == ([0, 1, 2], [3, 4], [])
    assert made.rack.wait_s() > 0


def test_more_than_may_wait_is_not_taken_and_the_cloud_is_told_how_many_were_lost(shelf: Callable[..., Shelf]) -> None:
    made, bell = ringing(shelf)
    taken = [bell.hand_over(reading(number)) for number in range(MOST_WAITING + 7)]
    assert taken == [True] * MOST_WAITING + [False] * 7
    assert made.numbers() == list(range(MOST_WAITING))
    assert made.told == []
    assert made.numbers() == []
    assert [(event.code, event.detail["count"], event.detail["source"]) for event in made.told] == [("source_overrun", 7, "bell")]


def test_after_the_close_what_was_taken_is_still_there_and_nothing_more_is_taken(shelf: Callable[..., Shelf]) -> None:
    made, bell = ringing(shelf)
    bell.hand_over(reading(1))
    made.rack.close()
    assert bell.closed
    assert not bell.hand_over(reading(2))
    assert (made.numbers(), made.numbers()) == ([1], [])


def test_one_that_is_faster_than_the_disk_crowds_out_no_other(shelf: Callable[..., Shelf]) -> None:
    fast, slow = Bell(), Bell()
    before = fast.hand_over, slow.hand_over
    made = shelf(fast=fast, slow=slow)
    assert wait_until(lambda: fast.hand_over is not before[0] and slow.hand_over is not before[1])
    for number in range(900):
        fast.hand_over(reading(number))
    slow.hand_over(reading(5000))
    assert 5000 in made.numbers(10)


class Device:
    """Asked; the test says what it does."""

    interval_s = 0.01

    def __init__(self, does: Callable[[], Reading | None]) -> None:
        self.does, self.closed = does, False

    def read(self, now: float) -> Reading | None:
        return self.does()

    def close(self) -> None:
        self.closed = True


def test_one_that_hangs_is_said_to_hang_and_costs_no_other(shelf: Callable[..., Shelf]) -> None:
    released = threading.Event()

    def hang() -> None:
        released.wait(60)

    made = shelf(stuck=Device(hang), fine=Counting())
    assert wait_until(lambda: made.numbers())
    made.ahead_s = 60.0
    assert wait_until(lambda: made.numbers())
    assert ("source_failed", "stuck") in made.rack._faults._now
    released.set()
    assert wait_until(lambda: made.take() and made.told)
    (event,) = made.told
    assert (event.code, event.detail["source"], event.detail["cause"]) == ("source_failed", "stuck", "it has not answered for 10 s")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_dies_of_an_error_of_its_own_is_begun_again_and_costs_no_other(shelf: Callable[..., Shelf]) -> None:
    broken = threading.Event()

    def read() -> Reading:
        if not broken.is_set():
            broken.set()
            raise KeyError("voltage")
        return reading(7000)

    brittle = Device(read)
    made = shelf(brittle=brittle, fine=Counting())
    assert wait_until(lambda: made.take() and broken.is_set() and ("source_failed", "brittle") in made.rack._faults._now)
    assert 7000 not in made.numbers()
    assert brittle.closed, "what it held is given back"
    made.ahead_s = 2 * RETRY_S
    assert wait_until(lambda: 7000 in made.numbers())
    assert wait_until(lambda: made.take() and made.told)
    assert (made.told[0].detail["source"], made.told[0].detail["cause"]) == ("brittle", "KeyError: 'voltage'")


class Page:
    """Remembers how far it was read; what stands at `torn` cannot be read the first time."""

    interval_s = 0.01

    def __init__(self, safe: list[int], torn: list[int]) -> None:
        self._safe, self._torn, self._at = safe, torn, safe[-1]

    def read(self, now: float) -> Reading | None:
        if self._at in self._torn:
            self._torn.remove(self._at)
            raise KeyError("torn")
        self._at += 1
        return reading(self._at - 1) if self._at <= 6 else None

    def place(self) -> int:
        return self._at

    def kept(self, place: int) -> None:
        self._safe.append(place)

    def close(self) -> None:
        """It is only paper."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_still_waits_when_a_source_that_remembers_dies_comes_once(shelf: Callable[..., Shelf]) -> None:
    torn = [3]
    safe = [0]
    made = shelf(page=Configured("page", lambda: Page(safe, torn)))
    assert wait_until(lambda: not torn and made.rack._runners[0]._died)
    made.ahead_s = 2 * RETRY_S
    found: list[object] = []

    def last_came() -> bool:
        found.extend(made.numbers(1))
        return 5 in found

    assert wait_until(last_came)
    assert found == [0, 1, 2, 3, 4, 5]


class Line(Listener):
    """Loses its connection when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.cut = 0, threading.Event()

    def listen(self, hand_over: HandOver) -> None:
        self.calls += 1
        hand_over(reading(self.calls))
        while not self.closed.is_set():
            if self.cut.wait(0.01):
                self.cut.clear()
                raise OSError("the line is dead")


def test_a_listener_connects_again_and_a_loss_is_told_once(shelf: Callable[..., Shelf]) -> None:
    line = Line()
    made = shelf(line=line)
    assert wait_until(lambda: made.numbers() == [1])
    line.cut.set()
    assert wait_until(lambda: made.rack._faults._now or made.take())
    assert wait_until(lambda: made.numbers() == [2])
    assert wait_until(lambda: made.take() or made.told)
    assert [(event.code, event.detail["cause"]) for event in made.told] == [("source_failed", "the line is dead")]


def test_a_reading_carries_what_the_other_sources_said_until_they_fail() -> None:
    told: list[Event] = []
    mono = [0.0]
    some = [Configured("a", lambda: Bell()), Configured("b", lambda: Bell(), Report(stale_after_s=5.0), partial=True)]
    rack = Rack(some, Faults("rover-alice", told.append, lambda: NOW), lambda: NOW, lambda: mono[0], lambda: None)
    assert rack.whole(Reading({"x": 1, "y": 1}, status="moving"), "a", 0.0).data == {"x": 1, "y": 1}
    both = rack.whole(Reading({"door": True}), "b", 1.0)
    assert (both.data, both.status) == ({"door": True, "x": 1, "y": 1}, "moving")
    assert rack.whole(Reading({"x": 2}), "a", 2.0).data == {"x": 2, "door": True}, "a leaves y out: it is gone"
    assert rack.whole(Reading({"lamp": 1}), "b", 3.0).data == {"lamp": 1, "door": True, "x": 2}
    assert rack.whole(Reading({"x": 3}), "a", 7.0).data == {"x": 3, "lamp": 1}, "the door is stale"


def test_readings_of_many_threads_reach_the_cloud_while_the_agent_runs(
    tmp_path: Path, broker: Broker, cloud: Cloud, drive: Callable[..., Driven]
) -> None:
    bell = Bell()
    before = bell.hand_over
    drive(settings(tmp_path / "edge", broker.address), bell, None)
    assert wait_until(lambda: bell.hand_over is not before)
    threads = [threading.Thread(target=lambda at=at: [bell.hand_over(reading(at * 100 + n)) for n in range(100)]) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) == 400)
    assert {found.data["n"] for found in cloud.ledger.of(Reading)} == set(range(400))


def test_what_was_handed_over_before_a_stop_is_kept(tmp_path: Path) -> None:
    bell = Bell()
    before = bell.hand_over
    agent = Agent(settings(tmp_path / "edge"), bell, None)
    agent.start()
    assert wait_until(lambda: bell.hand_over is not before)
    for number in range(250):
        assert bell.hand_over(reading(number))
    kept = agent.pending()
    agent.stop(0.0)
    again = Agent(settings(tmp_path / "edge"), Bell(), None)
    again.start()
    assert again.pending() == kept + 250 + 1, "and the new stream's birth"
    again.stop(0.0)
    assert bell.closed


def test_a_source_that_is_asked_in_the_agents_thread_and_one_of_its_own_are_told_apart() -> None:
    assert isinstance(Counting(), PullSource)
    assert not isinstance(Bell(), PullSource)
