"""What somebody tries who has no credentials, or valid ones of one robot. Every test runs on amqtt and on Mosquitto.

How they refuse differs (amqtt with the guard says no at once, Mosquitto often grants and never delivers); what the
attacker achieves must not: nothing.
"""

import time

import paho.mqtt.client as mqtt
import pytest

from tests.broker.house import (
    ALICE,
    BOB,
    BRIDGE,
    CARLOS,
    House,
    closed_within,
    connect_packet,
    packet,
    publish_packet,
    secret_of,
    text,
    wait_until,
)
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

ALICE_DOWN = f"croody/v1/{ALICE}/down/ack"
ALICE_UP = f"croody/v1/{ALICE}/up/telemetry"
CARLOS_UP = f"croody/v1/{CARLOS}/up/telemetry"


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("client_id", [ALICE, f"{ALICE}:agent"])
def test_a_wrong_password_does_not_disturb_a_live_session(house: House, clean: bool, client_id: str) -> None:
    alice = house.client(ALICE, client_id).up()
    alice.subscribe(f"croody/v1/{ALICE}/down/#")
    bridge = house.bridge()

    assert house.client(ALICE, client_id, secret="guessed", clean=clean).refused()

    bridge.publish(ALICE_DOWN, b"for Alice")
    assert alice.next() == (ALICE_DOWN, b"for Alice")
    assert not alice.gone.is_set()


@pytest.mark.parametrize("clean", [True, False])
def test_a_wrong_password_does_not_erase_an_offline_session(house: House, clean: bool) -> None:
    alice = house.client(ALICE, clean=False).up()
    alice.subscribe(f"croody/v1/{ALICE}/down/#")
    alice.close()
    bridge = house.bridge()
    bridge.publish(ALICE_DOWN, b"while she was away")

    assert house.client(ALICE, secret="guessed", clean=clean).refused()

    back = house.client(ALICE, clean=False).up()
    if house.engine == "amqtt":
        # Sessions are clean whatever the client asks for: there is nothing that could be erased, or pile up.
        assert not back.session_present
        back.subscribe(f"croody/v1/{ALICE}/down/#")
        bridge.publish(ALICE_DOWN, b"now")
        assert back.next() == (ALICE_DOWN, b"now")
    else:
        assert back.session_present
        assert back.next() == (ALICE_DOWN, b"while she was away")
        house.client(ALICE, clean=True).up()


@pytest.mark.parametrize("client_id", [ALICE, f"{ALICE}:agent", BRIDGE, f"{BRIDGE}:tests"])
def test_valid_credentials_do_not_take_over_the_client_id_of_another(house: House, client_id: str) -> None:
    alice = house.client(ALICE, ALICE).up()
    alice.subscribe(f"croody/v1/{ALICE}/down/#")
    agent = house.client(BOB, f"{BOB}:agent").up()
    bridge = house.bridge()

    carlos = house.client(CARLOS, client_id)
    wait_until(lambda: carlos.code is not None)

    if house.engine == "amqtt":
        assert carlos.refused()
    bridge.publish(ALICE_DOWN, b"still here")
    assert alice.next() == (ALICE_DOWN, b"still here")
    alice.publish(ALICE_UP)
    assert bridge.next()[0] == ALICE_UP
    assert not any(each.gone.is_set() for each in (alice, agent, bridge))


@pytest.mark.parametrize("user", ["", "nobody", "rover-aliceX", "+", "#", f"{ALICE}/x", f"{ALICE}:agent", "../passwd"])
def test_nobody_comes_in_without_an_account(house: House, user: str) -> None:
    assert house.client(user, "some-client", secret="x").refused()


def test_nobody_comes_in_without_a_name(house: House) -> None:
    sock = house.socket(packet(0x10, text("MQTT") + bytes([4, 0x02, 0, 60]) + text("some-client")))
    assert sock.recv(4) in (b"\x20\x02\x00\x05", b"")
    assert closed_within(sock)


def test_an_empty_password_is_a_wrong_one(house: House) -> None:
    assert house.client(ALICE, secret="").refused()


@pytest.mark.parametrize("topic", [ALICE_DOWN, ALICE_UP, f"croody/v1/{CARLOS}/down/ack", "croody/v1/x", "$SYS/broker/x", "other"])
def test_a_will_on_a_topic_of_another_reaches_nobody(house: House, topic: str) -> None:
    alice = house.client(ALICE).up()
    alice.subscribe(f"croody/v1/{ALICE}/down/#")
    bridge = house.bridge()
    carlos = house.client(CARLOS, will=(topic, b"forged", 1))
    wait_until(lambda: carlos.code is not None or carlos.gone.is_set())

    if house.engine == "amqtt":
        assert carlos.refused()
        assert carlos.code == 135  # paho's number for 0x05, not authorised
    else:
        carlos.up().cut()

    bridge.publish(ALICE_DOWN, b"real")
    alice.publish(ALICE_UP, b"real")
    assert alice.next() == (ALICE_DOWN, b"real")
    assert bridge.next() == (ALICE_UP, b"real")


def test_a_robots_own_will_is_published_when_it_is_cut_off(house: House) -> None:
    bridge = house.bridge()
    topic = f"croody/v1/{ALICE}/up/presence"
    house.client(ALICE, will=(topic, b"offline", 1)).up().cut()
    assert bridge.next() == (topic, b"offline")


def test_a_robots_will_is_not_published_when_it_says_goodbye(house: House) -> None:
    bridge = house.bridge()
    alice = house.client(ALICE, will=(f"croody/v1/{ALICE}/up/presence", b"offline", 1)).up()
    alice.close()
    house.client(BOB).up().publish(f"croody/v1/{BOB}/up/telemetry")
    assert bridge.next()[0] == f"croody/v1/{BOB}/up/telemetry"


def test_a_retained_will_is_refused(house: House) -> None:
    assert house.client(CARLOS, will=(CARLOS_UP, b"for ever", 1, True)).refused()


@pytest.mark.parametrize(
    "topic",
    [
        ALICE_UP,
        f"croody/v1/{ALICE}/up/batch/streamstream/1-1",
        f"croody/v1/{CARLOS}/down/ack",
        f"croody/v1/{CARLOS}/up",
        f"croody/v1/{CARLOS}",
        f"croody/v1/{CARLOS}x/up/telemetry",
        f"CROODY/v1/{CARLOS}/up/telemetry",
        f"/croody/v1/{CARLOS}/up/telemetry",
        f"croody/v1//{CARLOS}/up/telemetry",
        "croody/v1/%u/up/telemetry",
        "croody/v1/bridge/up/telemetry",
    ],
)
def test_a_publish_outside_a_robots_own_up_reaches_nobody(house: House, topic: str) -> None:
    bridge = house.bridge()
    for qos in (0, 1, 2):
        carlos = house.client(CARLOS).up()
        carlos.publish(topic, b"forged", qos)
        if house.engine == "amqtt" and topic != f"croody/v1/{CARLOS}/up":
            assert carlos.gone.wait(PATIENCE_S), "a connection that is closed is how MQTT 3.1.1 says no"
        carlos.close()
    house.client(CARLOS).up().publish(CARLOS_UP, b"real")
    got = bridge.next()
    if house.engine == "mosquitto" and topic == f"croody/v1/{CARLOS}/up":
        # Mosquitto too lets `up/#` match `up`; it is the robot's own, and no topic of the contract.
        assert got[0] == topic or got == (CARLOS_UP, b"real")
    elif topic == f"croody/v1/{CARLOS}/up":
        assert got[0] == topic
    else:
        assert got == (CARLOS_UP, b"real")


def test_a_publish_to_another_robots_topic_is_told(changing_house: House) -> None:
    # One of its own: Mosquitto's log of every packet rests for a minute when tests before this one filled it quickly.
    house = changing_house
    house.client(BOB).up().publish(f"croody/v1/{BOB}/elsewhere/telemetry", b"x", 0)
    assert wait_until(lambda: f"may not publish to 'croody/v1/{BOB}/elsewhere/telemetry'" in house.log())
    assert f"publish below croody/v1/{BOB}/up/" in house.log()
    assert "Received PUBLISH" not in house.log()


@pytest.mark.parametrize("qos", [0, 1])
def test_what_a_robot_publishes_without_up_reaches_the_bridge_which_can_tell_it(house: House, qos: int) -> None:
    bridge = house.bridge()
    bridge.subscribe("croody/v1/+/+")
    alice = house.client(ALICE).up()
    alice.publish(f"croody/v1/{ALICE}/telemetry", b'{"data":{"a":1}}', qos)
    assert bridge.next() == (f"croody/v1/{ALICE}/telemetry", b'{"data":{"a":1}}')
    alice.publish(ALICE_UP, b"and the connection goes on", qos)
    assert bridge.next()[0] == ALICE_UP


def test_an_acknowledgement_cannot_be_forged(house: House) -> None:
    alice = house.client(ALICE).up()
    alice.subscribe(f"croody/v1/{ALICE}/down/#")
    for topic in (ALICE_DOWN, f"croody/v1/{ALICE}/down/outgoing"):
        carlos = house.client(CARLOS).up()
        carlos.publish(topic, b'{"stored": [[1, 999999]]}', 0)
        carlos.close()
    house.bridge().publish(ALICE_DOWN, b"real")
    assert alice.next() == (ALICE_DOWN, b"real")


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+/#",
        "croody/#",
        "croody/v1/#",
        "croody/v1/+/down/#",
        "croody/v1/+/up/#",
        "+/+/+/+/+",
        f"croody/v1/{ALICE}/#",
        f"croody/v1/{ALICE}/down/ack",
        f"croody/v1/{CARLOS}/up/#",
        "$share/bridge/croody/v1/+/up/#",
        "$share/any/#",
    ],
)
def test_a_subscription_beyond_a_robots_own_down_brings_nothing(house: House, topic_filter: str) -> None:
    alice, bridge = house.client(ALICE).up(), house.bridge()
    alice.subscribe(f"croody/v1/{ALICE}/down/#")
    carlos = house.client(CARLOS).up()
    granted = carlos.subscribe(topic_filter)
    if house.engine == "amqtt":
        assert granted == [0x80]
    carlos.subscribe(f"croody/v1/{CARLOS}/down/#")

    for _ in range(4):
        alice.publish(ALICE_UP)
        bridge.publish(ALICE_DOWN)
    carlos.publish(CARLOS_UP)
    bridge.publish(f"croody/v1/{CARLOS}/down/ack", b"his own")

    assert carlos.next() == (f"croody/v1/{CARLOS}/down/ack", b"his own")
    # Nor is anything taken away from those whom it is for.
    assert wait_until(lambda: bridge.messages.qsize() >= 5)
    assert sorted(bridge.topics()) == sorted([ALICE_UP] * 4 + [CARLOS_UP])
    assert [alice.next()[0] for _ in range(4)] == [ALICE_DOWN] * 4


def test_nobody_reads_the_brokers_own_topics(house: House) -> None:
    carlos = house.client(CARLOS).up()
    granted = carlos.subscribe("$SYS/#")
    assert house.engine == "mosquitto" or granted == [0x80]
    carlos.subscribe(f"croody/v1/{CARLOS}/down/#")
    house.bridge().publish(f"croody/v1/{CARLOS}/down/ack")
    assert carlos.next()[0] == f"croody/v1/{CARLOS}/down/ack"


def test_a_robot_that_joins_a_shared_group_takes_nothing_from_the_bridges(house: House) -> None:
    from croody_contract.mosquitto import share_group

    if house.engine == "amqtt":
        assert house.client(BRIDGE, f"{BRIDGE}:one").up().subscribe(f"$share/{share_group(secret_of(BRIDGE))}/croody/v1/+/up/#") == [0x80]
        return
    bridges = [house.client(BRIDGE, f"{BRIDGE}:{name}").up() for name in ("one", "two")]
    for each in bridges:
        each.subscribe(f"$share/{share_group(secret_of(BRIDGE))}/croody/v1/+/up/#")
    carlos = house.client(CARLOS).up()
    for guess in ("bridge", "bridge-", "bridges", f"bridge-{'0' * 32}"):
        carlos.subscribe(f"$share/{guess}/croody/v1/+/up/#")
    alice = house.client(ALICE).up()
    for number in range(40):
        alice.publish(ALICE_UP, str(number))
    assert wait_until(lambda: sum(each.messages.qsize() for each in bridges) == 40)
    assert all(each.messages.qsize() for each in bridges)


def test_a_retained_publish_is_refused_and_nothing_is_retained(house: House) -> None:
    carlos = house.client(CARLOS).up()
    carlos.paho.publish(CARLOS_UP, b"for ever", 1, retain=True)
    assert carlos.gone.wait(PATIENCE_S)
    bridge = house.bridge()
    house.client(ALICE).up().publish(ALICE_UP, b"now")
    assert bridge.next() == (ALICE_UP, b"now")


def test_a_client_that_falls_silent_goes_after_one_and_a_half_keepalives_and_idle_ones_that_ping_stay(house: House) -> None:
    names = [f"{ALICE}:{n}" for n in range(5)] + [f"{BOB}:{n}" for n in range(5)] if house.engine == "amqtt" else [ALICE, BOB]
    idle = [house.client(name.partition(":")[0], name, keepalive=4).up() for name in names]
    start = time.monotonic()
    sock = house.socket(connect_packet(CARLOS, keepalive=4))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    # Mosquitto looks at its clients every five seconds only.
    assert closed_within(sock)
    assert time.monotonic() - start > 1.25 * 4
    time.sleep(max(0.0, start + 2.5 * 4 - time.monotonic()))
    assert not [each.paho._client_id for each in idle if each.gone.is_set()]


@pytest.mark.parametrize("claimed_mb", [1, 100, 256])
def test_an_oversized_packet_ends_the_connection_and_costs_no_memory(house: House, claimed_mb: int) -> None:
    sock = house.socket(connect_packet(CARLOS))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    before = house.rss_bytes()
    claimed = claimed_mb * 1024 * 1024 - 1
    sent = 0
    try:
        sock.settimeout(PATIENCE_S)
        sock.sendall(packet(0x32, b"")[:1] + _length(claimed) + text(CARLOS_UP) + b"\x00\x01")
        while sent < min(claimed, 100 * 1024 * 1024):
            sent += sock.send(b"x" * 65536)
    except OSError:
        pass
    assert closed_within(sock)
    assert sent < 20 * 1024 * 1024
    assert house.rss_bytes() - before < 5 * 1024 * 1024
    house.client(ALICE).up()


def test_a_publish_of_the_largest_allowed_size_passes(house: House) -> None:
    bridge, alice = house.bridge(), house.client(ALICE).up()
    alice.publish(ALICE_UP, b"x" * 256 * 1024)
    assert len(bridge.next()[1]) == 256 * 1024


def test_a_revoked_robots_session_ends_within_a_second(changing_house: House) -> None:
    house = changing_house
    carlos, alice, bridge = house.client(CARLOS).up(), house.client(ALICE).up(), house.bridge()
    house.write_files(users=[ALICE, BOB])
    assert carlos.gone.wait(A_BUSY_SECOND_S)
    assert house.client(CARLOS).refused()
    alice.publish(ALICE_UP)
    assert bridge.next()[0] == ALICE_UP


def test_a_new_secret_ends_the_session_that_used_the_old_one(changing_house: House) -> None:
    house = changing_house
    carlos, alice = house.client(CARLOS).up(), house.client(ALICE).up()
    house.hashes.pop(CARLOS)
    from croody_contract.mosquitto import hash_secret

    house.hashes[CARLOS] = hash_secret("another secret")
    house.write_files()
    assert carlos.gone.wait(A_BUSY_SECOND_S)
    assert house.client(CARLOS).refused()
    house.client(CARLOS, secret="another secret").up()
    assert not alice.gone.is_set()


def test_a_new_robot_can_connect_within_a_second(changing_house: House) -> None:
    house = changing_house
    house.write_files(users=[ALICE, BOB, CARLOS, "rover-dora"])

    assert wait_until(lambda: house.client("rover-dora").comes_in(), A_BUSY_SECOND_S)


def test_a_subscription_ends_when_the_rules_no_longer_allow_it(changing_house: House) -> None:
    house = changing_house
    alice, bridge = house.client(ALICE).up(), house.bridge()
    alice.subscribe(f"croody/v1/{ALICE}/down/#")
    bridge.publish(ALICE_DOWN, b"before")
    assert alice.next() == (ALICE_DOWN, b"before")
    acl = (house.folder / "acl").read_text()
    house.write_files(acl=acl.replace("pattern read croody/v1/%u/down/#", "pattern read croody/v1/%u/down/outgoing"))
    alice.subscribe(f"croody/v1/{ALICE}/down/outgoing")

    def what_comes() -> list[str]:
        bridge.publish(ALICE_DOWN, b"after")
        bridge.publish(f"croody/v1/{ALICE}/down/outgoing", b"allowed")
        came = [alice.next()[0]]
        while came[-1] != f"croody/v1/{ALICE}/down/outgoing":
            came.append(alice.next()[0])
        return came

    assert wait_until(lambda: ALICE_DOWN not in what_comes())


def test_what_a_rule_denies_is_not_delivered_through_a_wider_subscription(changing_house: House) -> None:
    house = changing_house
    acl = (house.folder / "acl").read_text()
    house.write_files(acl=f"{acl}topic deny croody/v1/+/up/private\n")
    alice, bridge = house.client(ALICE).up(), house.bridge()

    def what_comes() -> list[bytes]:
        alice.paho.publish(f"croody/v1/{ALICE}/up/private", b"not for the bridge", 1)
        alice.publish(ALICE_UP, b"for the bridge")
        came = [bridge.next()[1]]
        while came[-1] != b"for the bridge":
            came.append(bridge.next()[1])
        return came

    assert wait_until(lambda: what_comes() == [b"for the bridge"])


MALFORMED = [
    b"\x10\x00",
    b"\x10\xff\xff\xff\xff\x7f",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    packet(0x10, text("MQTT") + bytes([4, 0xC2, 0, 60])),
    packet(0x10, text("MQTT") + bytes([4, 0xC3, 0, 60]) + text("x") + text("u") + text("p")),
    packet(0x10, text("XXXX") + bytes([4, 0x02, 0, 60]) + text("x")),
    packet(0x10, text("MQTT") + bytes([4, 0xC2, 0, 60]) + b"\xff\xff" + b"x"),
    packet(0x10, text("MQTT") + bytes([4, 0xC2, 0, 60]) + text(b"\xff\xfe") + text("u") + text("p")),
    publish_packet(CARLOS_UP),
    packet(0xC0, b""),
    packet(0xE0, b""),
    b"\x00\x00",
    b"\xf0\x00",
    packet(0x10, b"\x00" * 100),
]


def test_two_thousand_malformed_connects_leave_healthy_ones_working(house: House) -> None:
    for number in range(2000):
        sock = house.socket(MALFORMED[number % len(MALFORMED)])
        if number % 3:
            sock.close()
    users = [ALICE, BOB, CARLOS]
    healthy = [house.client(users[number % 3], f"{users[number % 3]}:{number}") for number in range(30)]
    if house.engine == "amqtt":
        for each in healthy:
            each.up()
        assert not any(each.gone.is_set() for each in healthy)
    else:
        # There an account is one client, so of ten with one account only the last stays.
        assert wait_until(lambda: sum(each.connected.is_set() for each in healthy) == 30)
    house.bridge()


HOSTILE = {
    "wildcard in the topic": publish_packet(f"croody/v1/{CARLOS}/up/#"),
    "plus in the topic": publish_packet(f"croody/v1/{CARLOS}/up/+"),
    "NUL in the topic": publish_packet(f"croody/v1/{CARLOS}/up/\0"),
    "topic is not UTF-8": publish_packet(b"croody/v1/rover-carlos/up/\xff\xfe"),
    "empty topic": publish_packet(""),
    "QoS 3": publish_packet(CARLOS_UP, flags=0x06),
    "packet id 0": publish_packet(CARLOS_UP, packet_id=0),
    "topic longer than the packet": packet(0x32, b"\xff\xff" + b"x" * 10),
    "a second CONNECT": connect_packet(CARLOS),
    "a CONNACK": b"\x20\x02\x00\x00",
    "a reserved packet": b"\xf0\x00",
    "SUBSCRIBE without filters": packet(0x82, b"\x00\x01"),
    "SUBSCRIBE with QoS 3": packet(0x82, b"\x00\x01" + text(f"croody/v1/{CARLOS}/down/#") + b"\x03"),
    "SUBSCRIBE with wrong flags": packet(0x80, b"\x00\x01" + text(f"croody/v1/{CARLOS}/down/#") + b"\x01"),
    "UNSUBSCRIBE that lies about its length": packet(0xA2, b"\x00\x01\xff\xff" + b"x" * 5),
    "a length of five bytes": b"\x32\xff\xff\xff\xff\x7f",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_packet_that_breaks_the_rules_ends_the_connection_and_nothing_else(house: House, name: str) -> None:
    bridge, alice = house.bridge(), house.client(ALICE).up()
    sock = house.socket(connect_packet(CARLOS))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    sock.sendall(HOSTILE[name])
    assert closed_within(sock)
    alice.publish(ALICE_UP)
    assert bridge.next()[0] == ALICE_UP


def test_a_stock_client_without_a_client_id_can_speak_at_once(house: House) -> None:
    bridge = house.bridge()
    house.client(ALICE, "").up().publish(ALICE_UP, b"{}")
    assert bridge.next() == (ALICE_UP, b"{}")


def test_mqtt_5_is_spoken_or_refused_by_the_book(house: House) -> None:
    client = house.client(ALICE, protocol=mqtt.MQTTv5)
    if house.engine == "mosquitto":
        client.up()
        return
    assert client.refused()
    sock = house.socket(packet(0x10, text("MQTT") + bytes([5, 0xC2, 0, 60, 0]) + text(ALICE) + text(ALICE) + text(secret_of(ALICE))))
    assert sock.recv(100) == b"\x20\x02\x00\x01"
    assert closed_within(sock)


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        out.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(out)
