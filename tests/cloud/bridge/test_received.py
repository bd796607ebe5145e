"""What a broker brings again is known for what it is: also when its packet ids have come round, and when the bytes never change."""

from hypothesis import given, settings
from hypothesis import strategies as st

from croody.bridge.received import REACH_S, Received

IDS = 5


class Broker:
    """Delivers messages in order under `IDS` packet ids that come round, and after a lost connection those again that it holds."""

    def __init__(self, bodies: list[int]) -> None:
        self.sent = [(at % IDS + 1, body) for at, body in enumerate(bodies)]

    def again(self, acknowledged: set[int]) -> list[tuple[int, int, int]]:
        return [(at, *self.sent[at]) for at in range(len(self.sent)) if at not in acknowledged]


def redelivered(bodies: list[int], arrived: int, read: int) -> None:
    """A broker that keeps to no window: all that waited counts as sent, and comes again, though only a part of it arrived.

    `read`: acknowledgements that it has read, in order.
    """
    broker, received = Broker(bodies), Received(kept=64)
    numbers = {at: received.add(*broker.sent[at], 0.0) for at in range(arrived)}
    received.ended(1, 1.0)
    for at, packet, body in broker.again(set(range(read))):
        assert received.find(packet, body) == numbers.get(at)


@settings(max_examples=300)
@given(st.integers(1, 40), st.data())
def test_of_a_queue_that_came_whole_each_message_is_known_that_came_and_none_that_did_not(count: int, data: st.DataObject):
    arrived = data.draw(st.integers(1, count))
    redelivered(list(range(count)), arrived, data.draw(st.integers(0, arrived - 1)))


@settings(max_examples=300)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=40), st.data())
def test_that_holds_of_readings_that_are_all_alike_while_few_acknowledgements_are_unread(bodies: list[int], data: st.DataObject):
    arrived = data.draw(st.integers(1, len(bodies)))
    redelivered(bodies, arrived, data.draw(st.integers(max(0, arrived - IDS), arrived - 1)))


@given(st.lists(st.integers(1, 9), max_size=200))
def test_of_a_window_that_is_kept_to_whatever_is_acknowledged_what_came_is_known(sizes: list[int]):
    """Acknowledged out of order, as two relays do: what is left of the window comes again, and is known."""
    received = Received(kept=256)
    window: dict[int, tuple[int, int]] = {}
    at = 0
    for size in sizes:
        while len(window) < 10:
            at += 1
            packet = next(one for one in range(1, 12) if one not in {held[0] for held in window.values()})
            window[received.add(packet, at, float(at))] = (packet, at)
        for number in list(window)[size % 3 :: 2][:size]:
            del window[number]
    received.ended(min(window, default=at + 1), float(at))
    for number, (packet, known) in sorted(window.items()):
        assert received.find(packet, known) == number


def test_the_same_bytes_under_the_same_packet_id_hours_ago_are_no_repeat_and_what_is_still_open_is():
    received = Received(kept=64)
    received.add(1, 7, 0.0)
    received.add(2, 7, 0.0)
    received.add(0, 7, REACH_S + 5)
    received.ended(4, REACH_S + 6)
    assert received.find(1, 7) is None
    received.ended(2, REACH_S + 6)
    assert received.find(1, 7) is None
    assert received.find(2, 7) == 2
    assert received.find(2, 7) is None


def test_what_fell_out_of_memory_is_asked_of_the_database_instead():
    received = Received(kept=8)
    for at in range(1, 21):
        received.add(at, at, 0.0)
    received.ended(1, 0.0)
    assert [received.find(at, at) for at in (12, 13, 20)] == [None, 13, 20]
