"""One robot neither fills the queue nor what the bridge unpacks: the others' messages find their room."""

import gzip

from croody.bridge.inbox import LANES, Inbox, Message
from croody.bridge.receipts import Delivery
from croody.bridge.robot_limits import BURST_BYTES, BYTES_S, MOST_WAITING, RobotLimits, robot_of

BATCH = "croody/v1/{0}/up/batch/stream-a/{1}-{1}"


def test_more_than_a_robots_share_does_not_wait_and_another_robots_does():
    inbox = Inbox()
    mine = [Message(BATCH.format("rover-1", number), b"x" * 200_000) for number in range(1, 101)]
    left_out = inbox.put_all(mine)
    assert sum(len(message.payload) for message in mine) - sum(len(message.payload) for message in left_out) <= MOST_WAITING
    assert len(left_out) > 80
    assert not inbox.put_all([Message(BATCH.format("rover-2", 1), b"x" * 200_000)])
    assert not inbox.put_all([Message("croody/v1/rover-1/up/telemetry", b"x" * 60_000, Delivery(1, packet=1))]), "somebody waits for it"
    while inbox.take(LANES, 1, 1):
        pass
    assert not inbox.put_all(mine[:5])


def test_what_is_larger_than_a_share_by_itself_is_carried_when_nothing_else_waits():
    inbox = Inbox()
    assert not inbox.put_all([Message(BATCH.format("rover-1", 1), b"x" * (MOST_WAITING + 1))])


def test_unpacked_bytes_count_and_come_back_in_time():
    limits = RobotLimits()
    packed = gzip.compress(b"a" * 4_000_000)
    assert len(packed) < 5_000
    for _ in range(BURST_BYTES // 4_000_000 + 1):
        assert limits.has_some("rover-1", 100.0)
        limits.take("rover-1", 4_000_000, 100.0)
    assert not limits.has_some("rover-1", 100.0)
    assert limits.has_some("rover-2", 100.0)
    assert limits.has_some("rover-1", 100.5 + 4_000_000 / BYTES_S)


def test_the_robot_of_a_topic_is_told_without_looking_closely():
    assert robot_of("croody/v1/rover-1/up/batch/stream-a/1-1") == "rover-1"
    assert robot_of("croody/v1/rover-1") == robot_of("") == ""


def test_a_robot_that_the_api_holds_back_rests_for_a_second_and_no_other_does():
    limits = RobotLimits()
    limits.rest(["rover-1"], 100.0)
    assert not limits.has_some("rover-1", 100.9)
    assert limits.has_some("rover-1", 101.1)
    assert limits.has_some("rover-2", 100.0)
