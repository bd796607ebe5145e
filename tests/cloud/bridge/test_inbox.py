"""The queue between broker and API is bounded, and knows what its robots send again."""

import threading

from croody.bridge.inbox import LANES, WORTH_A_RELAY, Inbox, Message, lane_of
from croody.bridge.receipts import Delivery

PLAIN = "croody/v1/rover-1/up/telemetry"
BATCH = "croody/v1/rover-1/up/batch/stream-a/{0}-{0}"


def take(inbox: Inbox, most: int = 1) -> list[Message]:
    return inbox.take(LANES, most, 10**6)


def plain_of(lane: int, count: int, first: int = 1) -> list[Message]:
    """Readings of one robot whose messages go to this lane."""
    topic = next(topic for n in range(100) if lane_of(topic := f"croody/v1/rover-{n}/up/telemetry") == lane)
    return [Message(topic, b"x", Delivery(first + n, packet=first + n)) for n in range(count)]


def test_a_batch_that_waits_already_is_not_queued_twice_and_one_with_other_bytes_is():
    inbox = Inbox()
    for payload in (b"same", b"same", b"other", b"other"):
        assert not inbox.put_all([Message(BATCH.format(1), payload)])
    assert [take(inbox), take(inbox), take(inbox)] == [[Message(BATCH.format(1), b"same")], [Message(BATCH.format(1), b"other")], []]
    assert not inbox.put_all([Message(BATCH.format(1), b"same")])
    assert len(inbox) == 1


def test_the_queue_never_grows_past_its_room_and_plain_readings_have_some_of_their_own():
    inbox = Inbox(capacity_bytes=10_000, plain_extra_bytes=2_000)
    batches = [Message(BATCH.format(n), b"x" * 744) for n in range(1, 21)]
    assert inbox.put_all(batches) == batches[10:]
    plain = [Message(PLAIN, b"x" * 744, Delivery(n)) for n in range(1, 4)]
    assert inbox.put_all(plain) == plain[2:]
    assert not inbox.put_all([Message(PLAIN, b"x" * 744, Delivery(4, packet=1))]), "what the broker holds always has room"
    assert inbox.take_left_out() == 11
    assert inbox.take_left_out() == 0
    while take(inbox):
        pass
    assert not inbox.put_all(batches[:10])


def test_plain_readings_that_follow_each_other_are_taken_together_and_nothing_overtakes():
    inbox = Inbox()
    plain = [Message(PLAIN, b"x", Delivery(n, packet=n)) for n in range(1, 6)]
    batch = Message(BATCH.format(1), b"x")
    inbox.put_all([*plain[:4], batch, plain[4]])
    assert [take(inbox, 3) for _ in range(5)] == [plain[:3], plain[3:4], [batch], plain[4:], []]


def test_a_robot_with_much_is_behind_the_others_each_time_and_they_are_never_behind_all_of_it():
    first, second, third = [n for n in range(100) if lane_of(f"croody/v1/rover-{n}/up/telemetry") == 0][:3]
    inbox = Inbox()
    large = [Message(f"croody/v1/rover-{first}/up/batch/stream-a/{n}-{n}", b"x" * 1000) for n in range(1, 9)]
    small = [Message(f"croody/v1/rover-{second}/up/batch/stream-b/{n}-{n}", b"x") for n in range(1, 3)]
    plain = [Message(f"croody/v1/rover-{third}/up/telemetry", b"x", Delivery(n, packet=n)) for n in range(1, 4)]
    inbox.put_all([*large, *small, *plain])
    assert [take(inbox, 2) for _ in range(6)] == [large[:1], small[:1], plain[:2], large[1:2], small[1:2], plain[2:]]
    assert [take(inbox) for _ in range(7)] == [*([one] for one in large[2:]), []]
    assert inbox.idle()


def test_a_flood_of_plain_readings_of_one_robot_is_behind_those_of_the_others_each_time():
    flood = plain_of(0, 1000)
    other = next(n for n in range(50, 100) if lane_of(f"croody/v1/rover-{n}/up/telemetry") == 0)
    few = [Message(f"croody/v1/rover-{other}/up/telemetry", b"x", Delivery(n, packet=n)) for n in (2001, 2002)]
    inbox = Inbox()
    inbox.put_all([*flood, *few])
    assert take(inbox, 100) == flood[:100]
    assert take(inbox, 100) == [*few, *flood[100:198]]


def test_what_is_taken_together_ends_where_a_relay_is_full():
    inbox = Inbox()
    inbox.put_all([Message(PLAIN, b"x" * 744, Delivery(n, packet=n)) for n in range(1, 101)])
    assert len(inbox.take(LANES, 100, 10_000)) == 10


def test_little_goes_in_one_relay_whichever_lane_it_is_in_and_waits_for_the_one_before():
    inbox = Inbox()
    assert inbox.claim(0, 0) == ()
    inbox.put_all(plain_of(0, 2) + plain_of(1, 2))
    assert inbox.claim(0, 1) == LANES
    inbox.put_all(plain_of(0, 2) + plain_of(1, 2))
    assert not inbox.claim(0, 0)
    assert not inbox.idle()
    inbox.release(LANES)
    assert inbox.claim(0, 0) == LANES


def test_what_is_enough_for_two_relays_goes_in_two_at_once_and_a_robot_is_in_one_of_them():
    inbox = Inbox()
    inbox.put_all(plain_of(0, WORTH_A_RELAY) + plain_of(1, WORTH_A_RELAY))
    assert list(inbox.claim(0, 1)) == [1]
    assert list(inbox.claim(0, 0)) == [0]
    assert inbox.take([1], 10, 10**6) == plain_of(1, 10)
    inbox.put_all(plain_of(1, WORTH_A_RELAY, first=10_000))
    assert not inbox.claim(0, 0), "both are on their way: more of the same robots waits"
    inbox.release([1])
    assert list(inbox.claim(0, 0)) == [1]


def test_one_lane_that_is_full_does_not_keep_the_little_of_the_other_waiting():
    inbox = Inbox()
    inbox.put_all(plain_of(0, 5 * WORTH_A_RELAY) + plain_of(1, 2))
    assert inbox.claim(0, 0) == LANES
    assert inbox.take(LANES, 2000, 10**6) == plain_of(1, 2)


def test_a_thread_that_waits_is_woken_by_what_comes_and_by_what_is_released():
    inbox, got = Inbox(), []
    thread = threading.Thread(target=lambda: got.append(inbox.claim(10, 0)))
    thread.start()
    inbox.put_all(plain_of(0, 1))
    thread.join(5)
    assert got == [LANES]
