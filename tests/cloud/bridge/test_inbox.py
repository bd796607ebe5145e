"""The queue between broker and API is bounded, and knows what its robots send again."""

from croody.bridge.inbox import Inbox, Message
from croody.bridge.receipts import Delivery

PLAIN = "croody/v1/rover-1/up/telemetry"
BATCH = "croody/v1/rover-1/up/batch/stream-a/{0}-{0}"


def test_a_batch_that_waits_already_is_not_queued_twice_and_one_with_other_bytes_is():
    inbox = Inbox()
    for payload in (b"same", b"same", b"other", b"other"):
        assert not inbox.put_all([Message(BATCH.format(1), payload)])
    assert [inbox.take(0), inbox.take(0), inbox.take(0)] == [[Message(BATCH.format(1), b"same")], [Message(BATCH.format(1), b"other")], []]
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
    while inbox.take(0):
        pass
    assert not inbox.put_all(batches[:10])


def test_plain_readings_that_follow_each_other_are_taken_together_and_nothing_overtakes():
    inbox = Inbox()
    plain = [Message(PLAIN, b"x", Delivery(n, packet=n)) for n in range(1, 6)]
    batch = Message(BATCH.format(1), b"x")
    inbox.put_all([*plain[:4], batch, plain[4]])
    assert [inbox.take(0, most=3) for _ in range(5)] == [plain[:3], plain[3:4], [batch], plain[4:], []]
