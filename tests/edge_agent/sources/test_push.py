"""A source that speaks by itself: what it hands over is kept, bounded, and accounted for."""

import threading
from collections.abc import Callable
from pathlib import Path

from croody_contract.messages import Event, Reading
from croody_edge.agent import Agent
from croody_edge.faults import Faults
from croody_edge.sources.push import MOST_WAITING, PushFeed
from tests.edge_agent.conftest import Driven
from tests.edge_agent.doubles import Broker, Cloud, reading, settings, wait_until

NOW = 1_790_000_000.0


class Bell:
    """A source that rings when the test says so."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.closed = failures, False
        self.hand_over: Callable[[Reading], bool] = lambda _: False

    def start(self, hand_over: Callable[[Reading], bool]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("no bell at the door")
        self.hand_over = hand_over

    def close(self) -> None:
        self.closed = True


class Feed:
    """A feed, its bell and what it told the cloud, on a clock that the test sets."""

    def __init__(self, failures: int = 0) -> None:
        self.mono_s = 0.0
        self.told: list[Event] = []
        self.bell = Bell(failures)
        self.feed = PushFeed(self.bell, Faults("rover-alice", self.told.append, lambda: NOW), lambda: self.mono_s, lambda: None)
        self.feed.start()

    def take(self, most: int = 10_000) -> list[object]:
        return [found.data["n"] for found in self.feed.take(NOW, self.mono_s, most)]


def test_what_is_handed_over_is_taken_in_order_and_once() -> None:
    made = Feed()
    assert all(made.bell.hand_over(reading(number)) for number in range(5))
    assert made.feed.wait_s() == 0.0
    assert (made.take(3), made.take(3), made.take(3)) == ([0, 1, 2], [3, 4], [])
    assert made.feed.wait_s() > 0


def test_more_than_may_wait_is_not_taken_and_the_cloud_is_told_how_many_were_lost() -> None:
    made = Feed()
    taken = [made.bell.hand_over(reading(number)) for number in range(MOST_WAITING + 7)]
    assert taken == [True] * MOST_WAITING + [False] * 7
    assert made.take() == list(range(MOST_WAITING))
    assert made.told == []
    assert made.take() == []
    assert [(event.code, event.detail["count"]) for event in made.told] == [("source_overrun", 7)]


def test_after_the_close_what_was_taken_is_still_there_and_nothing_more_is_taken() -> None:
    made = Feed()
    made.bell.hand_over(reading(1))
    made.feed.close()
    assert made.bell.closed
    assert not made.bell.hand_over(reading(2))
    assert (made.take(), made.take()) == ([1], [])
    assert made.feed.wait_s() > 0


def test_a_source_that_cannot_begin_is_tried_again() -> None:
    made = Feed(failures=2)
    for made.mono_s in (1.0, 5.0, 6.0, 10.0):
        made.take()
    assert made.bell.failures == 0
    assert made.bell.hand_over(reading(1))
    assert made.take() == [1]
    assert [(event.code, event.detail["count"], event.detail["cause"]) for event in made.told] == [
        ("source_failed", 2, "no bell at the door")
    ]


def test_readings_of_many_threads_reach_the_cloud_while_the_agent_runs(
    tmp_path: Path, broker: Broker, cloud: Cloud, drive: Callable[..., Driven]
) -> None:
    bell = Bell()
    drive(settings(tmp_path / "edge", broker.address), bell, None)
    threads = [threading.Thread(target=lambda at=at: [bell.hand_over(reading(at * 100 + n)) for n in range(100)]) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) == 400)
    assert {found.data["n"] for found in cloud.ledger.of(Reading)} == set(range(400))


def test_what_was_handed_over_before_a_stop_is_kept(tmp_path: Path) -> None:
    bell = Bell()
    agent = Agent(settings(tmp_path / "edge"), bell, None)
    agent.start()
    for number in range(250):
        assert bell.hand_over(reading(number))
    kept = agent.pending()
    agent.stop(0.0)
    again = Agent(settings(tmp_path / "edge"), Bell(), None)
    again.start()
    assert again.pending() == kept + 250 + 1, "and the new stream's birth"
    again.stop(0.0)
    assert bell.closed
