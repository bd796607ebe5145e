"""The queue between broker and API is bounded, and knows what its robots send again."""

from croody.bridge.inbox import Inbox, Message

BATCH = "croody/v1/rover-1/up/batch/stream-a/{0}-{0}"


def test_a_batch_that_waits_already_is_not_queued_twice_and_one_with_other_bytes_is():
    inbox = Inbox()
    for payload in (b"same", b"same", b"other", b"other"):
        assert inbox.put(Message(BATCH.format(1), payload))
    assert [inbox.get(0), inbox.get(0), inbox.get(0)] == [Message(BATCH.format(1), b"same"), Message(BATCH.format(1), b"other"), None]
    assert inbox.put(Message(BATCH.format(1), b"same"))
    assert len(inbox) == 1


def test_the_queue_never_grows_past_its_room_and_plain_readings_have_some_of_their_own():
    inbox = Inbox(capacity_bytes=10_000, plain_extra_bytes=2_000)
    kept = [inbox.put(Message(BATCH.format(n), b"x" * 744)) for n in range(1, 21)]
    assert kept == [True] * 10 + [False] * 10
    assert inbox.put(Message("croody/v1/rover-1/up/telemetry", b"x" * 744))
    assert inbox.put(Message("croody/v1/rover-1/up/telemetry", b"x" * 744))
    assert not inbox.put(Message("croody/v1/rover-1/up/telemetry", b"x" * 744))
    assert inbox.take_left_out() == 11
    assert inbox.take_left_out() == 0
    while inbox.get(0):
        pass
    assert inbox.put(Message(BATCH.format(1), b"x" * 744))
