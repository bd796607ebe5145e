"""A plain reading that a bridge or a broker brings a second time is stored once; two readings with the same bytes are two."""

from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest

from croody.telemetry.ingest.repeats import Repeats, delivered
from croody_contract.relay import PlainItem, Relay, Sender
from tests.cloud.telemetry.helpers import NOON
from tests.cloud.telemetry.test_races import _in_threads, _warm

SAME = b'{"data":{"on":true}}'


def item(number: int, packet: int = 0, body: bytes = SAME, *, again: bool = False, robot_id: str = "rover-1") -> PlainItem:
    return PlainItem(robot_id, msgspec.Raw(body), number, packet or number, again)


def sender(run: str = "run-1", *, bridge: str = "bridge", floor: int = 1, session: str = "bridge") -> Sender:
    return Sender(bridge, run, floor, session)


def ingest(items: list[PlainItem], who: Sender, minutes: float = 0) -> None:
    from croody.telemetry.ingest import services

    services.ingest_relay(Relay(sender=who, plain=items), now=NOON + timedelta(minutes=minutes))


def stored() -> int:
    from croody.telemetry.models import Record

    return Record.objects.filter(stream="mqtt").count()


def test_a_relay_that_is_sent_again_is_stored_once_whole_or_in_parts(fleet: SimpleNamespace):
    items = [item(number) for number in range(1, 11)]
    ingest(items, sender())
    ingest(items, sender())
    ingest(items[:5], sender())
    ingest([*items[5:], item(11)], sender())
    assert stored() == 11


def test_a_first_try_that_the_api_comes_to_long_after_the_second_is_stored_once(fleet: SimpleNamespace):
    first = [item(number) for number in range(1, 11)]
    ingest(first, sender())
    ingest([item(number) for number in range(11, 21)], sender(floor=11))
    ingest([item(number) for number in range(21, 31)], sender(floor=21))
    ingest(first, sender())
    assert stored() == 30


def test_equal_readings_in_a_row_are_all_stored(fleet: SimpleNamespace):
    for number in range(1, 6):
        ingest([item(number, packet=1)], sender())
    assert stored() == 5


def test_what_a_killed_bridge_had_stored_is_known_when_the_broker_brings_it_to_the_next(fleet: SimpleNamespace):
    ingest([item(1, packet=7), item(2, packet=8)], sender("run-1"))
    ingest([item(1, packet=7, again=True), item(2, packet=8, again=True), item(3, packet=9, again=True)], sender("run-2"))
    assert stored() == 3


def test_bridges_that_share_no_packet_ids_know_nothing_of_each_other(fleet: SimpleNamespace):
    ingest([item(1, packet=7)], sender(bridge="bridge:1", session="bridge:1"))
    ingest([item(1, packet=7, again=True)], sender("run-2", bridge="bridge:2", session="bridge:2"))
    assert stored() == 2
    ingest([item(1, packet=7, again=True)], sender("run-3", bridge="bridge:3", session="bridge:1"))
    assert stored() == 2


def test_other_bytes_or_another_robot_under_the_same_packet_id_are_no_repeat(fleet: SimpleNamespace):
    ingest([item(1, packet=7)], sender("run-1"))
    ingest(
        [item(1, packet=7, body=b'{"data":{"on":false}}', again=True), item(2, packet=7, robot_id="rover-2", again=True)], sender("run-2")
    )
    assert stored() == 3


def test_of_all_that_a_broker_may_have_on_its_way_what_was_stored_is_known_also_when_much_of_it_was_not(fleet: SimpleNamespace):
    from croody_broker.mosquitto import MAX_INFLIGHT_MESSAGES
    from croody_broker.receipts import WINDOW

    most = max(WINDOW, MAX_INFLIGHT_MESSAGES)
    items = [item(number, body=b'{"data":{"n":%d}}' % number) for number in range(1, 2 * most + 1)]
    ingest(items[:most], sender("run-1"))
    again = [msgspec.structs.replace(one, again=True) for one in items]
    ingest(again[most:], sender("run-2"))
    ingest(again[:most], sender("run-2"))
    assert stored() == 2 * most


def test_a_mark_is_forgotten_after_a_quarter_of_an_hour_and_its_row_by_the_worker(fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.models import BridgeRun, Delivered

    ingest([item(1, packet=7)], sender("run-1"))
    ingest([item(1, packet=7, again=True)], sender("run-2"), minutes=16)
    assert stored() == 2
    jobs.forget_deliveries(NOON + timedelta(minutes=20))
    assert Delivered.objects.count() == 1
    assert BridgeRun.objects.count() == 1
    jobs.forget_deliveries(NOON + timedelta(days=8))
    assert (Delivered.objects.count(), BridgeRun.objects.count()) == (0, 0)


def test_what_is_noted_of_a_run_stays_short_also_when_every_second_reading_is_a_dead_letter(fleet: SimpleNamespace):
    from croody.telemetry.models import BridgeRun

    for start in range(1, 400, 20):
        items = [item(start + n, body=SAME if n % 2 else b"[]") for n in range(20)]
        ingest(items, sender(floor=start))
    assert len(BridgeRun.objects.get().have) < 200
    assert stored() == 200


def test_a_bridge_that_numbers_nothing_is_served_as_before(fleet: SimpleNamespace):
    from croody.telemetry.ingest import services

    services.ingest_relay(Relay(plain=[PlainItem("rover-1", msgspec.Raw(SAME))] * 2), now=NOON)
    assert stored() == 2


def test_the_same_relay_in_many_threads_at_once_is_stored_once(telemetry: str, fleet: SimpleNamespace):
    _warm()
    relays = [Relay(sender=sender(), plain=[item(number) for number in range(1, 21)]) for _ in range(12)]
    _in_threads(relays)
    assert stored() == 20


@pytest.mark.parametrize("again", [False, True])
def test_marks_are_looked_up_only_when_something_is_delivered_again(again: bool):
    asked = []
    repeats = Repeats(None, 1, lambda: asked.append(1) or set())
    came = delivered(item(1, again=again), "digest")
    assert came is not None
    assert repeats.among([came, None]) == set()
    assert bool(asked) is again
