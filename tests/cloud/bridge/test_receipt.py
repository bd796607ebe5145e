"""A plain reading that was acknowledged is in the database, whatever is killed: the real bridge and both brokers."""

import json
import random
import time
from collections import Counter

import paho.mqtt.client as mqtt
import pytest

from croody.bridge.receipts import MOST_OPEN, Receipts
from croody_contract import relay
from tests.patience import PATIENCE_S

UP = "croody/v1/rover-1/up/telemetry"
BOTH = pytest.mark.parametrize("broker", ["amqtt", "mosquitto"], indirect=True)
EMBEDDED = pytest.mark.parametrize("broker", ["amqtt"], indirect=True)


class Publisher:
    """A stock client at QoS 1 that keeps what was acknowledged."""

    def __init__(self, port: int) -> None:
        self.acknowledged: list[int] = []
        self._numbers: dict[int, int] = {}
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "rover-1")
        self.client.username_pw_set("rover-1", "secret of rover-1")
        self.client.on_publish = self._on_publish
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        self.acknowledged.append(mid)

    def publish(self, number: int) -> mqtt.MQTTMessageInfo:
        info = self.client.publish(UP, json.dumps({"data": {"n": number}}), qos=1)
        self._numbers[info.mid] = number
        return info

    def numbers(self) -> set[int]:
        return {self._numbers[mid] for mid in list(self.acknowledged)}

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def publisher(broker):
    made = Publisher(broker.port)
    yield made
    made.close()


def stored(api) -> Counter[int]:
    """What the API has taken, a relay sent again or a redelivery counted once, as the real one does."""
    seen: dict[tuple[object, ...], int] = {}
    for sent in list(api.relays):
        for item in sent.plain:
            seen[(sent.sender.run, item.number)] = json.loads(bytes(item.body))["data"]["n"]
    return Counter(seen.values())


def items(api) -> list[relay.PlainItem]:
    return [item for sent in list(api.relays) for item in sent.plain]


@EMBEDDED
def test_a_publisher_hears_of_the_commit_and_not_before(start_bridge, publisher, api, until):
    start_bridge()
    api.status = 503
    readings = [publisher.publish(number) for number in range(10)]
    time.sleep(1.0)
    assert not any(reading.is_published() for reading in readings)
    api.status = 200
    until(lambda: all(reading.is_published() for reading in readings))
    assert set(stored(api)) == set(range(10))


@BOTH
def test_bridges_killed_at_any_moment_lose_no_acknowledged_reading(start_bridge, publisher, api, until):
    dice = random.Random(3)
    api.delay_s = 0.05
    total = 0
    for _ in range(4):
        bridge = start_bridge()
        for _ in range(int(dice.uniform(100, 300))):
            publisher.publish(total)
            total += 1
            time.sleep(0.002)
        bridge.kill()
        bridge.wait()
    start_bridge()
    until(lambda: publisher.numbers() == set(range(total)))
    until(lambda: set(stored(api)) == set(range(total)))


@BOTH
def test_a_reading_that_is_delivered_again_to_the_next_bridge_says_so_and_keeps_its_packet_id(start_bridge, publisher, api, until):
    bridge = start_bridge()
    api.delay_s = 2.0
    publisher.publish(1)
    until(lambda: api.at_once)
    bridge.kill()
    bridge.wait()
    api.delay_s = 0.0
    start_bridge()
    until(lambda: len(items(api)) == 2)
    first, second = sorted(items(api), key=lambda item: item.again)
    assert (first.again, second.again) == (False, True)
    assert (first.packet, first.body) == (second.packet, second.body)
    assert api.relays[0].sender.run != api.relays[1].sender.run
    assert {sent.sender.session for sent in api.relays} == {"bridge"}


@BOTH
def test_a_relay_without_an_answer_is_sent_again_under_the_same_numbers(start_bridge, publisher, api, until):
    start_bridge()
    taken, api.answer = [], api.answer

    def swallow(path: str, body: bytes):
        if path.endswith("/relay"):
            taken.append(relay.decode_relay(body))
        return 503, b"{}"

    usual, api.answer = api.answer, swallow
    publisher.publish(1)
    until(lambda: len(taken) >= 2)
    api.answer = usual
    until(lambda: publisher.numbers() == {1})
    assert len({(sent.sender.run, item.number) for sent in [*taken, *api.relays] for item in sent.plain}) == 1


@BOTH
def test_what_breaks_the_rules_is_acknowledged_as_a_dead_letter(start_bridge, publisher, api, until):
    start_bridge()
    info = publisher.client.publish(UP, b"no json", qos=1)
    until(info.is_published)
    until(lambda: [letter.reason for sent in api.relays for letter in sent.dead] == ["bad_json"])


@BOTH
def test_a_reading_that_breaks_the_api_while_others_pass_becomes_a_dead_letter(start_bridge, publisher, api, until):
    start_bridge()
    usual = api.answer

    def broken(path: str, body: bytes):
        return (500, b"{}") if path.endswith("/relay") and b'"n": 13}' in body and b'"reason"' not in body else usual(path, body)

    api.answer = broken
    for number in range(30):
        publisher.publish(number)
    until(lambda: publisher.numbers() == set(range(30)))
    until(lambda: set(stored(api)) == set(range(30)) - {13})
    until(lambda: any(sent.dead for sent in api.relays))
    (letter,) = [letter for sent in api.relays for letter in sent.dead]
    assert (letter.reason, letter.body) == ("refused", b'{"data": {"n": 13}}')


@BOTH
def test_an_api_that_stalls_costs_nothing_and_a_bridge_that_ends_meanwhile_neither(start_bridge, publisher, api, until):
    bridge = start_bridge()
    api.status = 503
    for number in range(200):
        publisher.publish(number)
    time.sleep(1)
    bridge.terminate()
    assert bridge.wait(PATIENCE_S) == 0
    start_bridge()
    api.status = 200
    until(lambda: publisher.numbers() == set(range(200)))
    until(lambda: set(stored(api)) == set(range(200)))


@pytest.mark.parametrize("broker", ["mosquitto --max-backlog 100000"], indirect=True)
def test_what_mosquitto_had_to_drop_is_told(start_bridge, publisher, api, until, tmp_path):
    bridge = start_bridge()
    bridge.kill()
    bridge.wait()
    body = json.dumps({"data": {"text": "x" * 60_000}})
    for _ in range(300):
        publisher.client.publish(UP, body, qos=1)
    until(lambda: len(publisher.acknowledged) == 300)
    start_bridge()
    until(lambda: any(letter.reason == "broker_dropped" for sent in api.relays for letter in sent.dead))
    assert "has dropped" in (tmp_path / "bridge.log").read_text()


# -- the books of the bridge -------------------------------------------------------------------------------------------


def books() -> tuple[Receipts, list[int]]:
    acknowledged: list[int] = []
    made = Receipts("bridge", "bridge", acknowledged.extend)
    made.connected()
    return made, acknowledged


def test_a_packet_id_of_a_connection_that_is_over_is_never_acknowledged():
    receipts, acknowledged = books()
    first = receipts.take(5, UP, b"a", again=False)
    assert first is not None
    receipts.lost()
    receipts.settle([first.number])
    receipts.connected()
    assert acknowledged == []
    other = receipts.take(5, UP, b"b", again=False)
    assert other is not None
    receipts.settle([first.number])
    assert acknowledged == []
    receipts.settle([other.number])
    assert acknowledged == [5]


def test_what_comes_again_while_it_is_still_here_is_acknowledged_on_the_new_connection():
    receipts, acknowledged = books()
    first = receipts.take(5, UP, b"a", again=False)
    assert first is not None
    receipts.lost()
    assert receipts.stale() == {first.number}
    receipts.connected()
    assert receipts.take(5, UP, b"a", again=True) is None
    assert receipts.stale() == frozenset()
    receipts.settle([first.number])
    assert acknowledged == [5]


def test_what_comes_again_after_its_commit_is_acknowledged_at_once():
    receipts, acknowledged = books()
    first = receipts.take(5, UP, b"a", again=False)
    assert first is not None
    receipts.lost()
    receipts.settle([first.number])
    receipts.connected()
    assert receipts.take(5, UP, b"a", again=True) is None
    assert acknowledged == [5]


def test_the_floor_is_the_first_reading_that_is_still_open():
    receipts, _ = books()
    numbers = [receipts.take(packet, UP, b"a", again=False).number for packet in (1, 2, 3)]
    receipts.settle(numbers[1:])
    assert receipts.sender().floor == numbers[0]
    receipts.settle(numbers[:1])
    assert receipts.sender().floor == numbers[-1] + 1


def test_there_is_room_again_as_soon_as_something_of_what_is_open_is_settled():
    receipts, _ = books()
    numbers = [receipts.take(packet, UP, b"a", again=False).number for packet in range(1, MOST_OPEN + 1)]
    for _ in range(100):
        receipts.take(0, UP, b"what wants no answer takes no room", again=False)
    assert not receipts.has_room()
    receipts.settle(numbers[:1])
    assert receipts.has_room()


def test_a_redelivery_that_never_came_is_new_though_its_packet_id_and_bytes_came_long_ago():
    now = [0.0]
    acknowledged: list[int] = []
    receipts = Receipts("bridge", "bridge", acknowledged.extend, clock=lambda: now[0])
    receipts.connected()
    first = receipts.take(5, UP, b"closed", again=False)
    assert first is not None
    receipts.settle([first.number])
    now[0] = 3600.0
    receipts.lost()
    receipts.connected()
    again = receipts.take(5, UP, b"closed", again=True)
    assert again is not None
    assert acknowledged == [5]
