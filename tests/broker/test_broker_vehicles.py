"""Vehicles that speak VDA 5050 at our own brokers: each below its own branch of the topics, its retained messages taken, never another's.

`rover-alice` is vehicle Acme/AGV-1, `rover-carlos` is Acme/AGV-2 and wants to speak as the other.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from croody_contract import mosquitto, vda5050
from tests.broker.house import ALICE, BOB, BRIDGE, CARLOS, ENGINES, Client, House, free_ports, running, secret_of, wait_until
from tests.patience import PATIENCE_S

VEHICLES = {ALICE: vda5050.branch("uagv", "Acme", "AGV-1"), CARLOS: vda5050.branch("uagv", "Acme", "AGV-2")}
MINE, THEIRS = "uagv/v2/Acme/AGV-1", "uagv/v2/Acme/AGV-2"


@pytest.fixture(scope="module", params=ENGINES)
def yard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A broker of a site with two vehicles, and `rover-bob`, who is none."""
    with running(request.param, tmp_path_factory.mktemp(request.param), free_ports(2), vehicles=VEHICLES) as house:
        yield house


@pytest.fixture
def house(yard: House) -> Iterator[House]:
    yield yard
    yard.tidy()


def cloud(house: House) -> Client:
    """The bridge as it subscribes, after what the broker may have kept for it."""
    made = house.client(BRIDGE, f"{BRIDGE}:cloud").up()
    assert made.subscribe("croody/v1/+/up/#") == [1]
    for topic_filter in vda5050.FILTERS:
        assert made.subscribe(topic_filter) == [1]
    time.sleep(0.2)
    made.drain()
    return made


def told(house: House, made: Client, topic: str, payload: bytes) -> bool:
    """Whether the bridge is given this message, looking as far as what `rover-bob` says afterwards."""
    end = house.client(BOB).up()
    # QoS 0: of what is acknowledged after the commit there is no end without a real bridge.
    end.paho.publish(f"croody/v1/{BOB}/up/presence", b"the end", 1)
    found = False
    while (one := made.next())[1] != b"the end":
        found = found or one == (topic, payload)
    return found


@pytest.mark.parametrize("subtopic", vda5050.SUBTOPICS)
def test_a_vehicle_is_heard_below_its_own_branch_and_may_ask_for_what_it_says_to_be_retained(house: House, subtopic: str) -> None:
    made = cloud(house)
    vehicle = house.client(ALICE).up()
    vehicle.paho.publish(f"{MINE}/{subtopic}", b"{}", 0, retain=True)
    assert made.next() == (f"{MINE}/{subtopic}", b"{}")
    assert not vehicle.gone.is_set()


def test_a_vehicle_hears_its_orders_and_nobody_elses(house: House) -> None:
    vehicle = house.client(ALICE).up()
    vehicle.subscribe(f"{MINE}/order")
    other = house.client(CARLOS).up()
    other.paho.publish(f"{MINE}/order", b"{}", 1)
    vehicle.paho.publish(f"{MINE}/order", b"mine", 0)
    assert vehicle.next() == (f"{MINE}/order", b"mine")
    assert vehicle.topics() == []


@pytest.mark.parametrize(
    "topic",
    [
        f"{MINE}/state",
        f"{MINE}/connection",
        "vda5050/v2/Acme/AGV-1/state",
        "uagv/v3/Acme/AGV-1/state",
        "uagv/v2/Acme/AGV-1",
        f"/{THEIRS}/state",
        # Its own serial of another make, another interface, another level.
        "uagv/v2/Other/AGV-2/state",
        "vda5050/v2/Acme/AGV-2/state",
        "uagv/v2/x/Acme/AGV-2/state",
        f"croody/v1/{ALICE}/up/state",
        f"croody/v1/{ALICE}/up/telemetry",
    ],
)
def test_no_vehicle_speaks_as_another(house: House, topic: str) -> None:
    made = cloud(house)
    for retain in (False, True):
        attacker = house.client(CARLOS).up()
        attacker.paho.publish(topic, b"I am AGV-1", 0, retain)
        if house.engine == "amqtt":
            assert attacker.gone.wait(PATIENCE_S), "MQTT 3.1.1 says no by the end of the connection"
    assert not told(house, made, topic, b"I am AGV-1")


@pytest.mark.parametrize("topic_filter", [f"{MINE}/order", f"{MINE}/#", "uagv/v2/Acme/+/order", "uagv/#", "+/+/+/+/state", "#"])
def test_no_vehicle_hears_anothers_orders(house: House, topic_filter: str) -> None:
    attacker = house.client(CARLOS).up()
    # Mosquitto grants what it never delivers; the guard says so at once.
    assert attacker.subscribe(topic_filter) == [0x80 if house.engine == "amqtt" else 1]
    vehicle = house.client(ALICE).up()
    vehicle.subscribe(f"{MINE}/order")
    vehicle.paho.publish(f"{MINE}/order", b"for me", 0)
    assert vehicle.next() == (f"{MINE}/order", b"for me")
    vehicle.paho.publish(f"{MINE}/state", b"{}", 0)
    own = house.client(CARLOS, f"{CARLOS}:own" if house.engine == "amqtt" else None).up()
    own.subscribe(f"{THEIRS}/order")
    own.paho.publish(f"{THEIRS}/order", b"end", 0)
    assert own.next() == (f"{THEIRS}/order", b"end")
    assert [one for one in attacker.topics() if "AGV-1" in one] == []


def test_a_last_will_is_its_own_too(house: House) -> None:
    made = cloud(house)
    broken = b'{"connectionState":"CONNECTIONBROKEN"}'
    house.client(ALICE, will=(f"{MINE}/connection", broken, 0, True)).up().cut()
    assert made.next() == (f"{MINE}/connection", broken)
    foreign = house.client(CARLOS, will=(f"{MINE}/connection", broken, 0, True))
    if foreign.comes_in():
        assert house.engine == "mosquitto", "the guard judges it at once, Mosquitto when it is due"
        foreign.cut()
    assert not told(house, made, f"{MINE}/connection", broken)


def test_it_calls_itself_as_it_likes_and_throws_nobody_out(house: House) -> None:
    victim = house.client(ALICE).up()
    named = house.client(CARLOS, "AGV client 4711").up()
    assert house.client(CARLOS, ALICE).comes_in()
    assert not victim.gone.is_set()
    # Both were `rover-carlos`, whatever they called themselves: the second took the place of the first.
    assert named.gone.wait(PATIENCE_S)


def test_a_plain_robot_may_have_nothing_retained_at_the_guard_and_no_vehicles_topics_at_either(house: House) -> None:
    made = cloud(house)
    robot = house.client(BOB).up()
    robot.paho.publish(f"{MINE}/state", b"as bob", 0)
    assert not told(house, made, f"{MINE}/state", b"as bob")
    if house.engine == "amqtt":
        other = house.client(BOB, f"{BOB}:other").up()
        other.paho.publish(f"croody/v1/{BOB}/up/presence", b"x", 0, True)
        assert other.gone.wait(PATIENCE_S)


def test_mosquitto_that_began_without_vehicles_says_that_it_takes_what_they_retain_after_a_restart(tmp_path: Path) -> None:
    with running("mosquitto", tmp_path, free_ports(2)) as house:
        assert "retain_available false" in (tmp_path / "mosquitto.conf").read_text()
        house.vehicles = VEHICLES
        house.write_files()
        assert wait_until(lambda: "restart the broker" in house.log()), house.log()
        assert "retain_available true" in (tmp_path / "mosquitto.conf").read_text()


def test_the_guard_takes_a_vehicle_that_comes_while_it_runs(tmp_path: Path) -> None:
    with running("amqtt", tmp_path, free_ports(2)) as house:
        house.vehicles = VEHICLES
        house.write_files()

        def taken() -> bool:
            vehicle = house.client(ALICE).up()
            vehicle.paho.publish(f"{MINE}/connection", b"{}", 0, retain=True)
            return not vehicle.gone.wait(0.3)

        assert wait_until(taken), house.log()


@pytest.mark.slow
def test_a_vehicle_of_the_standards_library_comes_in_and_is_heard(house: House, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("no npm here: apt-get install npm")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(tmp_path), "vda-5050-lib@1.4.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    if done.returncode:
        pytest.skip(f"vda-5050-lib cannot be had: {done.stderr[-200:]}")
    made = cloud(house)
    environ = os.environ | {"NODE_PATH": str(tmp_path / "node_modules")}
    line = ["node", str(Path(__file__).with_name("vda_vehicle.cjs")), str(house.port), ALICE, secret_of(ALICE), "Acme", "AGV-1"]
    vehicle = subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        seen: dict[str, object] = {}
        while not {"connection", "state", "visualization"} <= seen.keys():
            topic, payload = made.next(40)
            found = vda5050.parse_topic(topic)
            assert found is not None
            assert vda5050.parse(found, payload) is not None
            seen[found.subtopic] = json.loads(payload)
        vehicle.kill()
        while True:
            topic, payload = made.next(40)
            if topic.endswith("/connection"):
                assert json.loads(payload)["connectionState"] == "CONNECTIONBROKEN"
                break
    finally:
        vehicle.kill()
        vehicle.communicate()


def test_the_rules_of_a_site_without_vehicles_keep_nothing_and_those_with_one_do() -> None:
    assert not mosquitto.keeps_vehicles(mosquitto.render_acl())
    assert mosquitto.keeps_vehicles(mosquitto.render_acl(vehicles={"agv-1": vda5050.branch("vda5050", "Acme", "AGV-1")}))


@pytest.mark.parametrize(
    ("interface", "manufacturer", "serial"),
    [
        ("uagv", "+", "1"), ("uagv", "A/B", "1"), ("uagv", "", "1"), ("#", "A", "1"), ("croody", "A", "1"), ("$SYS", "A", "1"),
        ("uagv", "A", "%u"), ("uagv", "A", "1\nuser bridge"), ("uagv", "A B", "1"),
    ],
)  # fmt: skip
def test_no_branch_is_made_of_what_a_rule_would_read_otherwise(interface: str, manufacturer: str, serial: str) -> None:
    with pytest.raises(ValueError):
        vda5050.branch(interface, manufacturer, serial)
