"""A plain reading is acknowledged to its publisher when a bridge has acknowledged it; what is full makes publishers wait."""

import socket
import time
from dataclasses import dataclass, field

import pytest

from croody_broker import receipts
from croody_broker.receipts import BYTES_A_CLIENT, MOST_A_CLIENT, WINDOW, Held, Receipts
from croody_contract.limits import KIB, MAX_PUBLISH_BYTES
from tests.broker.house import ALICE, BOB, BRIDGE, Client, House, connect_packet, packet, publish_packet, text, wait_until
from tests.patience import PATIENCE_S

ALICE_UP = f"croody/v1/{ALICE}/up/telemetry"
BOB_UP = f"croody/v1/{BOB}/up/telemetry"
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"


@dataclass(eq=False)
class Robot:
    answers: list[bytes] = field(default_factory=list)
    waits: bool = False

    def answer_held(self, answer: bytes) -> None:
        self.answers.append(answer)

    def go_on(self) -> None:
        self.waits = False


@dataclass(eq=False)
class Bridge:
    had: list[tuple[int, bytes, bool]] = field(default_factory=list)

    def carry(self, topic: str, payload: bytes, number: int, *, again: bool) -> None:
        self.had.append((number, payload, again))

    @property
    def numbers(self) -> list[int]:
        return [number for number, _, _ in self.had]


def held(payload: bytes, packet_id: int = 1, robot: Robot | None = None, client_id: str = ALICE) -> Held:
    return Held(client_id, packet_id, f"croody/v1/{client_id}/up/telemetry", payload, b"puback %d" % packet_id, robot)


# -- the books ---------------------------------------------------------------------------------------------------------


def test_only_the_bridge_that_was_given_a_reading_can_acknowledge_it() -> None:
    books, first, second, robot = Receipts(), Bridge(), Bridge(), Robot()
    books.join(first)
    books.hold(held(b"a", 7, robot))
    books.join(second)
    books.acknowledged(second, first.numbers[0])
    assert robot.answers == []
    books.leave(first)
    assert second.had == [(first.numbers[0], b"a", True)], "under its old number, and said to come again"
    books.acknowledged(first, first.numbers[0])
    assert robot.answers == []
    books.acknowledged(second, first.numbers[0])
    books.acknowledged(second, first.numbers[0])
    assert (robot.answers, len(books)) == ([b"puback 7"], 0)


def test_bridges_divide_readings_and_what_one_leaves_goes_to_the_others_in_the_order_it_came() -> None:
    books, first, second = Receipts(), Bridge(), Bridge()
    books.join(first)
    books.join(second)
    for number in range(10):
        books.hold(held(b"%d" % number, number + 1))
    assert (len(first.had), len(second.had)) == (5, 5)
    books.leave(first)
    assert [payload for _, payload, _ in second.had] == [b"1", b"3", b"5", b"7", b"9", b"0", b"2", b"4", b"6", b"8"]


def test_a_bridge_is_given_no_more_than_its_window_and_the_rest_as_it_acknowledges() -> None:
    books, bridge = Receipts(), Bridge()
    books.join(bridge)
    for number in range(WINDOW + 50):
        books.hold(held(b"x", number + 1, client_id=f"robot-{number // 1000}"))
    assert len(bridge.had) == WINDOW
    for number in bridge.numbers[:20]:
        books.acknowledged(bridge, number)
    assert len(bridge.had) == WINDOW + 20


def test_a_client_has_room_for_a_thousand_readings_or_eight_megabytes_whatever_connection_sent_them() -> None:
    books, robot = Receipts(), Robot()
    for number in range(MOST_A_CLIENT):
        assert books.room(ALICE, KIB)
        books.hold(held(b"x", number + 1, robot))
    books.left(robot, ALICE)
    assert not books.room(ALICE, KIB)
    assert books.room(BOB, KIB)
    for number in range(BYTES_A_CLIENT // (MAX_PUBLISH_BYTES + KIB)):
        books.hold(held(b"x" * MAX_PUBLISH_BYTES, number + 1, client_id=BOB))
    assert not books.room(BOB, MAX_PUBLISH_BYTES)


def test_all_together_have_a_limit_and_whoever_waits_goes_on_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "MOST", 3)
    books, bridge = Receipts(), Bridge()
    for number in range(3):
        books.hold(held(b"x", number + 1))
    waiting = {"robot-1": Robot(waits=True), "robot-2": Robot(waits=True)}
    for name, robot in waiting.items():
        assert not books.room(name, KIB)
        books.pause(robot, name, KIB)
    books.join(bridge)
    books.acknowledged(bridge, bridge.numbers[0])
    assert [robot.waits for robot in waiting.values()] == [False, True]
    books.acknowledged(bridge, bridge.numbers[1])
    assert [robot.waits for robot in waiting.values()] == [False, False]


def test_a_number_comes_again_only_after_thousands_of_others() -> None:
    books, bridge = Receipts(), Bridge()
    books.join(bridge)
    for _ in range(WINDOW - 1):
        books.hold(held(b"x", 0))
    last_used: dict[int, int] = {}
    for turn in range(60_000):
        books.hold(held(b"x", 0))
        number = bridge.had[-1][0]
        books.acknowledged(bridge, number)
        assert turn - last_used.get(number, -(10**6)) > 8_192
        last_used[number] = turn


# -- the guard ---------------------------------------------------------------------------------------------------------


def late_bridge(house: House, name: str = "late") -> Client:
    """A bridge that acknowledges when it is told to."""
    made = house.client(BRIDGE, f"{BRIDGE}:{name}").up()
    made.paho.manual_ack_set(True)
    assert made.subscribe("croody/v1/+/up/#") == [1]
    return made


def test_a_publisher_hears_of_its_reading_when_the_bridge_does_and_of_a_batch_at_once(guard_house: House) -> None:
    bridge = late_bridge(guard_house)
    alice = guard_house.client(ALICE).up()
    reading = alice.paho.publish(ALICE_UP, b"a", 1)
    batch = alice.paho.publish(f"croody/v1/{ALICE}/up/batch/stream-of-alice/1-1", b"b", 1)
    batch.wait_for_publish(PATIENCE_S)
    assert batch.is_published()
    message = bridge.messages.get(timeout=PATIENCE_S)
    time.sleep(0.2)
    assert not reading.is_published()
    bridge.paho.ack(message.mid, 1)
    assert wait_until(reading.is_published)


@pytest.mark.parametrize("qos", [1, 2])
def test_without_a_bridge_nothing_is_acknowledged_and_the_next_one_gets_it(guard_house: House, qos: int) -> None:
    alice = guard_house.client(ALICE).up()
    readings = [alice.paho.publish(ALICE_UP, b"%d" % number, qos) for number in range(10)]
    time.sleep(0.5)
    assert not any(each.is_published() for each in readings)
    bridge = guard_house.bridge()
    assert wait_until(lambda: all(each.is_published() for each in readings))
    assert [bridge.next()[1] for _ in range(10)] == [b"%d" % number for number in range(10)]


def test_what_a_bridge_had_and_did_not_acknowledge_goes_to_the_next_also_when_its_publisher_is_gone(guard_house: House) -> None:
    first = late_bridge(guard_house, "first")
    alice = guard_house.client(ALICE).up()
    alice.paho.publish(ALICE_UP, b"held", 1)
    number = first.messages.get(timeout=PATIENCE_S).mid
    alice.cut()
    first.cut()
    second = late_bridge(guard_house, "second")
    message = second.messages.get(timeout=PATIENCE_S)
    assert (message.payload, message.dup, message.mid) == (b"held", True, number)


def test_a_reading_at_qos_0_goes_to_one_of_two_bridges_and_is_never_held(guard_house: House) -> None:
    bridges = [guard_house.bridge("first"), guard_house.bridge("second")]
    alice = guard_house.client(ALICE).up()
    for _ in range(10):
        alice.publish(ALICE_UP, b"x", 0)
    assert wait_until(lambda: sum(each.messages.qsize() for each in bridges) == 10)
    time.sleep(0.2)
    assert sum(each.messages.qsize() for each in bridges) == 10


def test_what_a_client_repeats_after_it_came_back_is_known_while_it_is_held(guard_house: House) -> None:
    bridge = late_bridge(guard_house)
    lost = guard_house.socket(connect_packet(ALICE))
    assert lost.recv(4) == b"\x20\x02\x00\x00"
    lost.sendall(publish_packet(ALICE_UP, b"once", 7))
    number = bridge.messages.get(timeout=PATIENCE_S).mid
    lost.close()
    back = guard_house.socket(connect_packet(ALICE))
    assert back.recv(4) == b"\x20\x02\x00\x00"
    back.sendall(publish_packet(ALICE_UP, b"once", 7, 0x0A))
    time.sleep(0.3)
    assert bridge.drain() == []
    bridge.paho.ack(number, 1)
    back.settimeout(PATIENCE_S)
    assert back.recv(4) == b"\x40\x02\x00\x07"


def test_a_new_reading_of_a_client_that_came_back_is_no_repeat_whatever_its_packet_id(guard_house: House) -> None:
    bridge = late_bridge(guard_house)
    for flags in (0x02, 0x02):
        sock = guard_house.socket(connect_packet(ALICE))
        assert sock.recv(4) == b"\x20\x02\x00\x00"
        sock.sendall(publish_packet(ALICE_UP, b"the same again", 1, flags))
        assert bridge.messages.get(timeout=PATIENCE_S).payload == b"the same again"
        sock.close()


def test_above_a_thousand_a_client_is_read_no_further_and_not_closed_for_it_and_others_are_served(guard_house: House) -> None:
    bridge = late_bridge(guard_house)
    sock = guard_house.socket(connect_packet(ALICE, keepalive=1))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    for number in range(1, MOST_A_CLIENT + 201):
        sock.sendall(publish_packet(ALICE_UP, b"%d" % number, number))
    sock.sendall(PINGREQ)
    assert wait_until(lambda: bridge.messages.qsize() == MOST_A_CLIENT)
    time.sleep(2.5)
    assert bridge.messages.qsize() == MOST_A_CLIENT
    assert f"{ALICE}: gone" not in guard_house.log(), "its silence is our doing: more than 1.5 keepalives have passed"
    bob = guard_house.client(BOB).up()
    bob.paho.publish(BOB_UP, b"bob", 1)
    assert wait_until(lambda: bridge.messages.qsize() == MOST_A_CLIENT + 1)
    seen = 0
    while seen < MOST_A_CLIENT + 201:
        bridge.paho.ack(bridge.messages.get(timeout=PATIENCE_S).mid, 1)
        seen += 1
    sock.settimeout(PATIENCE_S)
    answer = b""
    while len(answer) < 4 * (MOST_A_CLIENT + 200) + len(PINGRESP):
        answer += sock.recv(65536)
    assert PINGRESP in answer


def test_what_is_held_costs_bounded_memory_however_much_is_published(guard_house: House) -> None:
    before = guard_house.rss_bytes()
    socks = []
    for number in range(4):
        sock = socket.create_connection(("127.0.0.1", guard_house.port), PATIENCE_S)
        guard_house.sockets.append(sock)
        sock.sendall(connect_packet(ALICE, f"{ALICE}:{number}"))
        assert sock.recv(4) == b"\x20\x02\x00\x00"
        sock.settimeout(0.5)
        socks.append(sock)
    for sock in socks:
        many = b"".join(publish_packet(ALICE_UP, b"x" * 200_000, number) for number in range(1, 201))
        with pytest.raises(TimeoutError):
            sock.sendall(many)
    assert guard_house.rss_bytes() - before < 4 * BYTES_A_CLIENT + 16 * KIB * KIB, "160 MB were offered"


def test_a_packet_id_that_is_open_with_another_message_ends_the_connection(guard_house: House) -> None:
    sock = guard_house.socket(connect_packet(ALICE))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    sock.sendall(publish_packet(ALICE_UP, b"a", 7) + publish_packet(ALICE_UP, b"b", 7))
    assert wait_until(lambda: "packet id 7 is open" in guard_house.log())


def test_a_subscriber_that_is_no_bridge_gets_its_copy_and_answers_for_nothing(guard_house: House) -> None:
    guard_house.write_files([ALICE, "observer"], acl="pattern write croody/v1/%u/up/#\nuser observer\ntopic read croody/v1/+/up/#\n")
    observer = guard_house.client("observer")
    if not observer.connected.wait(2):
        assert wait_until(lambda: "observer" in guard_house.log())
        observer = guard_house.client("observer").up()
    observer.subscribe("croody/v1/+/up/#")
    alice = guard_house.client(ALICE).up()
    reading = alice.paho.publish(ALICE_UP, b"a", 1)
    assert observer.next() == (ALICE_UP, b"a")
    time.sleep(0.3)
    assert not reading.is_published()


def test_a_bridge_that_asks_for_qos_0_answers_for_nothing(guard_house: House) -> None:
    guard_house.socket(connect_packet(BRIDGE) + packet(0x82, b"\x00\x01" + text("croody/v1/+/up/#") + b"\x00"))
    alice = guard_house.client(ALICE).up()
    reading = alice.paho.publish(ALICE_UP, b"a", 1)
    time.sleep(0.5)
    assert not reading.is_published()
