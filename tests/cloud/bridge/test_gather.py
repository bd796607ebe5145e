"""One relay holds something of everybody whose turn it is: a publish that unpacks to four megabytes goes bit by bit, beside the others."""

import time
from functools import cache

import pytest

from croody.bridge import handler
from croody.bridge.gather import RELAY_BYTES, SHARE_BYTES, Gatherer
from croody.bridge.inbox import LANES, READ_BYTES, Inbox, Message, lane_of
from croody.bridge.receipts import Delivery
from croody.bridge.robot_limits import RobotLimits
from croody_contract import batch
from croody_contract.limits import KIB, MAX_PUBLISH_BYTES

RECORDS = 480


@cache
def large(robot_id: str, first: int = 1) -> Message:
    """A few packed kilobytes that unpack to nearly four megabytes."""
    records = [b'{"kind":"reading","data":{%s}}' % b",".join(b'"m%d":"%s"' % (n, b"x" * 1000) for n in range(8))] * RECORDS
    payload = batch.pack(batch.Head(), records)
    assert len(payload) < MAX_PUBLISH_BYTES // 4
    return Message(f"croody/v1/{robot_id}/up/batch/stream-a/{first}-{first + RECORDS - 1}", payload)


def small(robot_id: str, seq: int) -> Message:
    return Message(f"croody/v1/{robot_id}/up/batch/stream-a/{seq}-{seq}", b'{"records":[{"kind":"reading","data":{"a":1}}]}')


@pytest.fixture
def bridge():
    inbox, limits = Inbox(), RobotLimits()
    return inbox, limits, Gatherer(inbox, limits)


def robots(items: list[handler.Item]) -> set[str]:
    return {item.robot_id for item in items}


def seqs(items: list[handler.Item], robot_id: str) -> list[int]:
    return [item.first + n for item in items if item.robot_id == robot_id for n in range(len(item.records))]


def test_others_go_beside_what_unpacks_to_megabytes_and_all_of_it_goes_in_its_order(bridge):
    inbox, _, gatherer = bridge
    inbox.put_all(
        [large("rover-1"), small("rover-2", 1), Message("croody/v1/rover-3/up/telemetry", b'{"data":{"a":1}}', Delivery(1, packet=1))]
    )
    first = gatherer.gather(LANES)
    assert robots(first) == {"rover-1", "rover-2", "rover-3"}
    came, relays = seqs(first, "rover-1"), 1
    while len(inbox):
        # Whoever comes while it is on its way is in the very next relay.
        inbox.put_all([small("rover-2", 1 + relays)])
        items = gatherer.gather(LANES)
        assert "rover-2" in robots(items)
        assert sum(map(handler.size_of, items)) <= RELAY_BYTES
        came += seqs(items, "rover-1")
        relays += 1
    assert came == list(range(1, RECORDS + 1))
    assert inbox.idle()


def test_those_of_the_other_lane_are_not_behind_it_either(bridge):
    inbox, _, gatherer = bridge
    names = [f"rover-{number}" for number in range(40)]
    many = [name for name in names if lane_of(large(name).topic) != lane_of(large("rover-0").topic)]
    inbox.put_all([large("rover-0"), *(small(name, 1) for name in many)])
    assert len(many) > 9
    assert robots(gatherer.gather(LANES)) == {"rover-0", *many}


def test_two_that_send_megabytes_have_the_same_share_of_a_relay(bridge):
    inbox, _, gatherer = bridge
    inbox.put_all([large("rover-1"), large("rover-2")])
    items = gatherer.gather(LANES)
    sizes = [sum(handler.size_of(item) for item in items if item.robot_id == robot_id) for robot_id in ("rover-1", "rover-2")]
    assert all(SHARE_BYTES * 3 // 4 < size <= RELAY_BYTES - SHARE_BYTES * 3 // 4 for size in sizes)


def test_what_waits_unpacked_is_bounded_however_many_robots_send_it(bridge):
    inbox, _, gatherer = bridge
    inbox.put_all([large(f"rover-{number}") for number in range(20)])
    most = 0
    while len(inbox):
        assert gatherer.gather(LANES)
        most = max(most, inbox.read_bytes)
    assert READ_BYTES < most <= READ_BYTES + 2 * 4 * KIB * KIB


def test_a_repeat_of_what_is_on_its_way_is_not_queued_and_one_that_has_gone_is(bridge):
    inbox, _, gatherer = bridge
    inbox.put_all([large("rover-1")])
    gatherer.gather(LANES)
    assert not inbox.put_all([large("rover-1")])
    assert len(inbox) == 1
    while len(inbox):
        gatherer.gather(LANES)
    inbox.put_all([large("rover-1")])
    assert len(inbox) == 1


def test_what_is_left_of_a_robot_that_the_api_holds_back_does_not_go(bridge):
    inbox, limits, gatherer = bridge
    inbox.put_all([large("rover-1")])
    gatherer.gather(LANES)
    limits.rest(["rover-1"], time.monotonic())
    assert gatherer.gather(LANES) == []
    assert inbox.idle()


def test_a_robot_that_has_used_up_its_share_by_this_very_publish_still_brings_it_whole(bridge):
    inbox, limits, gatherer = bridge
    limits.take("rover-1", 8 * KIB * KIB - 4 * KIB, time.monotonic())
    inbox.put_all([large("rover-1")])
    came = 0
    while len(inbox):
        came += len(seqs(gatherer.gather(LANES), "rover-1"))
    assert came == RECORDS


def test_plain_readings_that_cannot_be_read_take_more_room_as_letters_and_none_of_them_is_lost(bridge):
    inbox, _, gatherer = bridge
    topics = [f"croody/v1/rover-{number % 3}/up/{'nonsense' * 60}" for number in range(2000)]
    inbox.put_all([Message(topic, b"{" * 60, Delivery(number, packet=number)) for number, topic in enumerate(topics, 1)])
    numbers: list[int] = []
    while len(inbox):
        items = gatherer.gather(LANES)
        assert sum(map(handler.size_of, items)) <= RELAY_BYTES
        numbers += handler.numbers(items)
    assert sorted(numbers) == list(range(1, 2001))
    for robot in range(3):
        mine = [number for number in numbers if (number - 1) % 3 == robot]
        assert mine == sorted(mine)
