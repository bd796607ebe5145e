"""What is sent when: decisions only, with a clock of the test's own."""

from random import Random

from croody_contract import ranges
from croody_contract.ranges import Ranges
from croody_edge.sync.drain import Drain, Pick


class Robot:
    """A drain over a queue that is a set of keys, and a record of what it sent."""

    def __init__(self, keys: int = 0, *, batch: int = 10, window: int = 4, wait_s: float = 1.0, rate: float = 100.0) -> None:
        self.drain = Drain(batch, window, wait_s, rate, Random(1))
        self.queue: set[int] = set(range(1, keys + 1))
        self.born = keys + 1
        self.end = self.born
        self.now = 100.0
        self.sent: list[tuple[int, int, bool]] = []
        self.drain.opened(self.born)
        self.publish(1)
        self.drain.connected()

    def publish(self, count: int) -> None:
        self.queue |= set(range(self.end, self.end + count))
        self.end += count
        self.drain.grew(self.end)

    def run(self, pick: Pick) -> Ranges:
        inside = sorted(key for key in self.queue if pick.start <= key < pick.stop)
        return ((inside[0], min(ranges.of(inside)[0][1], inside[0] + pick.limit - 1)),) if inside else ranges.EMPTY

    def go(self, limit: int = 1000) -> list[tuple[int, int, bool]]:
        """Send all that may go now."""
        before = len(self.sent)
        while limit and (pick := self.drain.next(self.now)) is not None:
            found = self.run(pick)
            if not found:
                self.drain.nothing(pick)
                continue
            ((first, last),) = found
            self.sent.append((first, last, pick.historical))
            self.drain.sent(pick, first, last, len(self.sent), self.now)
            self.drain.confirmed(len(self.sent), self.now)
            limit -= 1
        return self.sent[before:]

    def ack(self, *spans: tuple[int, int]) -> Ranges:
        gone = self.drain.acknowledged(spans, self.now)
        self.queue -= set(ranges.members(gone))
        return gone

    def live_and_let_ack(self, seconds: float, step_s: float = 0.05) -> None:
        for _ in range(int(seconds / step_s)):
            for first, last, _ in self.go():
                self.ack((first, last))
            self.now += step_s


def test_a_reading_after_a_pause_goes_at_once_and_fast_ones_share() -> None:
    robot = Robot()
    assert robot.go() == [(1, 1, False)]
    robot.publish(3)
    assert robot.go() == []
    assert 0 < robot.drain.wait_s(robot.now) <= 0.02
    robot.now += 0.02
    assert robot.go() == [(2, 4, False)]
    robot.publish(25)
    assert robot.go() == [(5, 14, False), (15, 24, False)], "full batches do not wait"


def test_no_more_than_the_window_is_on_its_way() -> None:
    robot = Robot()
    for _ in range(20):
        robot.publish(1)
        robot.now += 0.03
        robot.go()
    assert len(robot.sent) == 4
    robot.ack((1, 2))
    assert robot.go() == [(6, 15, False)], "what gathered goes together"


def test_the_backlog_is_historical_waits_for_live_records_and_keeps_its_rate() -> None:
    robot = Robot(1000, window=8)
    first = robot.go()
    assert first[0] == (1001, 1001, False)
    assert all(historical for *_, historical in first[1:])
    robot.ack(*((first, last) for first, last, _ in first))
    began, sent = robot.now, len(robot.sent)
    for _ in range(100):
        robot.publish(1)
        robot.live_and_let_ack(0.05)
    backlog = [span for span in robot.sent[sent:] if span[2]]
    took = sum(last - first + 1 for first, last, _ in backlog)
    assert 0.9 * 100 * (robot.now - began) <= took <= 1.1 * 100 * (robot.now - began) + 20
    live = [span for span in robot.sent[sent:] if not span[2]]
    assert sum(last - first + 1 for first, last, _ in live) == 100
    assert [span[0] for span in backlog] == sorted(span[0] for span in backlog), "oldest first"


def test_half_of_the_window_is_free_for_live_records() -> None:
    robot = Robot(1000, window=4, rate=100_000)
    robot.go()
    robot.now += 0.02
    robot.go()
    assert [historical for *_, historical in robot.sent] == [False, True, True]
    robot.publish(1)
    robot.now += 0.02
    assert robot.go() == [(1002, 1002, False)]


def test_a_batch_ends_at_a_hole_and_goes_on_behind_it() -> None:
    robot = Robot(30, batch=100, rate=100_000, window=8)
    robot.queue -= {10, 11, 20}
    robot.live_and_let_ack(3)
    assert robot.sent[1:] == [(1, 9, True), (12, 19, True), (21, 30, True)]
    assert robot.drain.idle
    assert not robot.queue


def test_what_is_not_acknowledged_goes_again_later_and_later() -> None:
    robot = Robot()
    robot.go()
    times = []
    for _ in range(2000):
        if robot.go():
            times.append(robot.now)
        robot.now += 0.01
    waits = [after - before for before, after in zip([100.0, *times], times, strict=False)]
    assert 0.74 <= waits[0] <= 1.02
    assert 1.49 <= waits[1] <= 2.02
    assert all(2.2 <= wait <= 3.02 for wait in waits[2:])
    assert len({round(wait, 2) for wait in waits[2:]}) > 1, "with jitter"
    assert {span[:2] for span in robot.sent} == {(1, 1)}


def test_while_the_broker_has_not_confirmed_the_connection_is_trusted_longer() -> None:
    robot = Robot()
    pick = robot.drain.next(robot.now)
    assert pick is not None
    robot.drain.sent(pick, 1, 1, 7, robot.now)
    robot.now += 3.0
    assert robot.go() == []
    robot.drain.confirmed(99, robot.now)
    robot.drain.confirmed(7, robot.now)
    robot.now += 1.0
    assert robot.go() == [(1, 1, False)]


def test_a_new_connection_sends_everything_unacknowledged_again() -> None:
    robot = Robot()
    robot.go()
    robot.publish(3)
    robot.now += 0.02
    robot.go()
    robot.drain.connected()
    assert robot.go() == [(1, 1, False), (2, 4, False)]


def test_after_an_outage_the_newest_go_first_and_the_rest_is_backlog() -> None:
    robot = Robot(batch=10, window=4, rate=10_000)
    robot.go()
    robot.ack((1, 1))
    robot.publish(500)
    robot.drain.connected()
    robot.publish(1)
    robot.now += 0.02
    sent = robot.go()
    assert sent[0] == (502, 502, False)
    robot.ack((502, 502))
    robot.live_and_let_ack(10)
    robot.ack(*((first, last) for first, last, _ in sent))
    assert not robot.queue
    assert all(historical for *_, historical in robot.sent[2:])


def test_only_what_was_sent_can_be_acknowledged() -> None:
    robot = Robot(50)
    robot.go(limit=2)
    assert robot.ack((1, 2**60)) == ((1, 10), (51, 51)), "the first ten of the backlog and the live one were sent"
    assert robot.ack((1, 2**60)) == ()
    assert robot.drain.unacknowledged() == ()


def test_part_of_a_batch_may_be_acknowledged_and_the_rest_goes_again() -> None:
    robot = Robot(10, window=2, batch=20, rate=1000)
    robot.go()
    assert robot.ack((3, 4), (6, 6)) == ((3, 4), (6, 6))
    robot.now += 2.0
    assert [span[:2] for span in robot.go()] == [(11, 11), (1, 2)]
    robot.ack((11, 11), (1, 2))
    robot.live_and_let_ack(3)
    assert not robot.queue
    assert robot.drain.idle


def test_what_the_cloud_asks_for_goes_again_but_not_twice_at_once() -> None:
    robot = Robot(5, rate=1000, batch=10)
    robot.go()
    robot.drain.again(((1, 6),))
    assert robot.go() == []
    robot.ack((1, 3))
    robot.queue |= {1, 2, 3}
    robot.drain.again(((1, 3),))
    assert robot.ack((1, 3)) == (), "asked for, not yet sent: an acknowledgement of it is not ours"
    assert [span[:2] for span in robot.go()] == [(1, 3)]
    assert robot.ack((1, 3)) == ((1, 3),)


def test_a_narrow_way_closes_the_window_and_a_wide_one_opens_it_again() -> None:
    robot = Robot(window=8, wait_s=60)
    for _ in range(4):
        robot.publish(10)
        for first, last, _ in robot.go():
            robot.now += 5.0
            robot.ack((first, last))
    robot.publish(100)
    robot.now += 1
    assert len(robot.go()) == 1
    robot.live_and_let_ack(2)
    robot.ack(*((first, last) for first, last, _ in robot.sent))
    for _ in range(10):
        robot.publish(10)
        robot.live_and_let_ack(0.2)
    robot.publish(70)
    assert len(robot.go()) > 4


def test_it_never_asks_to_be_called_without_end() -> None:
    """What `wait_s` says while nothing may go is never zero again and again."""
    robot = Robot(300, rate=50, window=2)
    zero = 0
    for _ in range(3000):
        robot.go()
        wait_s = robot.drain.wait_s(robot.now)
        zero += wait_s == 0
        robot.now += max(wait_s, 0.001) if wait_s < 60 else 1.0
        if len(robot.sent) % 3 == 0:
            robot.ack(*((first, last) for first, last, _ in robot.sent[-3:]))
    assert zero < 30
