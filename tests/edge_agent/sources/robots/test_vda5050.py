"""Vehicles that speak VDA 5050: a virtual one with its fleet control, of vda-5050-lib, at a real broker; messages of 2.1 and 3.0."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from math import pi
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_contract import vda5050
from croody_contract.messages import Event, Reading, check_record
from croody_contract.vehicles import MOST, Vehicle, code_of
from croody_edge.sources.own import from_table
from croody_edge.sources.vda5050 import Vda5050Source
from croody_edge.variables import BadSetting
from tests.edge_agent.doubles import wait_until
from tests.edge_agent.sources.robots.listening import listening

NOW = 1_790_000_000.0
STATE = vda5050.Topic("vda5050", "v3", "Acme", "AGV-1", "state")
HEAD = {"headerId": 1, "timestamp": "2026-11-30T10:00:00.000Z", "manufacturer": "Acme", "serialNumber": "AGV-1"}
V21: dict[str, Any] = HEAD | {
    "version": "2.1.0",
    "orderId": "order-7",
    "orderUpdateId": 0,
    "lastNodeId": "dock",
    "lastNodeSequenceId": 0,
    "nodeStates": [{"nodeId": "gate", "sequenceId": 2, "released": True}],
    "edgeStates": [],
    "driving": True,
    "paused": False,
    "distanceSinceLastNode": 1.5,
    "actionStates": [{"actionId": "a1", "actionType": "pick", "actionStatus": "RUNNING"}],
    "batteryState": {"batteryCharge": 81.5, "batteryVoltage": 48.1, "batteryHealth": 97, "charging": False, "reach": 5000},
    "operatingMode": "AUTOMATIC",
    "errors": [],
    "safetyState": {"eStop": "NONE", "fieldViolation": False},
    "agvPosition": {"x": 1.0, "y": 2.0, "theta": pi / 2, "mapId": "hall", "positionInitialized": True, "localizationScore": 0.93},
    "velocity": {"vx": 0.3, "vy": 0.4, "omega": 0.0},
    "loads": [{"loadId": "p-1", "weight": 120}, {"weight": 80.5}],
}
V30: dict[str, Any] = HEAD | {
    "version": "3.0.0",
    "orderId": "",
    "orderUpdateId": 0,
    "lastNodeId": "gate",
    "lastNodeSequenceId": 2,
    "nodeStates": [],
    "edgeStates": [],
    "driving": False,
    "actionStates": [],
    "instantActionStates": [{"actionId": "i1", "actionType": "stateRequest", "actionStatus": "RUNNING"}],
    "powerSupply": {"stateOfCharge": 64.0, "batteryCurrent": -3.5, "charging": True, "range": 4000},
    "operatingMode": "TEACH_IN",
    "errors": [{"errorType": "LOCALIZATION_ERROR", "errorLevel": "FATAL", "errorDescription": "lost"}],
    "safetyState": {"activeEmergencyStop": "REMOTE", "fieldViolation": True},
    "mobileRobotPosition": {"x": 4.0, "y": 3.0, "theta": 0.0, "mapId": "hall", "localized": False},
}


@pytest.fixture
def port(tmp_path: Path, free_port: int) -> Iterator[int]:
    """A Mosquitto of a site, as fleet controls have one: open to all that reach it."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    (tmp_path / "site.conf").write_text(f"listener {free_port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([program, "-c", str(tmp_path / "site.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)

    def up() -> bool:
        try:
            return client.connect("127.0.0.1", free_port) == mqtt.MQTT_ERR_SUCCESS
        except OSError:
            return False

    assert wait_until(up)
    client.disconnect()
    yield free_port
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where vda-5050-lib is installed."""
    folder = tmp_path_factory.mktemp("vda")
    if shutil.which("npm") is None:
        pytest.skip("no npm here: apt-get install npm")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), "vda-5050-lib@1.4.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    if done.returncode:
        pytest.skip(f"vda-5050-lib cannot be had: {done.stderr[-200:]}")
    return folder / "node_modules"


@pytest.fixture
def publisher(port: int) -> Iterator[mqtt.Client]:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def said(vehicle: Vehicle, message: Any, subtopic: str = "state") -> list[Any]:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    found = vehicle.take(STATE._replace(subtopic=subtopic), payload, NOW)
    for one in found:
        check_record(one)
    return found


def reading(found: list[Any]) -> Reading:
    (only,) = [one for one in found if isinstance(one, Reading)]
    return only


def events(found: list[Any]) -> list[tuple[str, str, bool]]:
    return [(one.code, one.severity, one.over) for one in found if isinstance(one, Event)]


def own(port: int, **more: Any) -> dict[str, Any]:
    return {"broker": f"mqtt://127.0.0.1:{port}", "manufacturer": "Acme", "serial": "AGV-1", **more}


@pytest.mark.slow
def test_a_vehicle_that_does_an_order_of_its_fleet_control_is_read(tmp_path: Path, port: int, library: Path) -> None:
    environ = os.environ | {"NODE_PATH": str(library)}
    command = ["node", str(Path(__file__).with_name("vda_site.cjs")), str(port)]
    with listening(Vda5050Source, tmp_path, **own(port)) as heard:
        site = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert heard.has(lambda it: it.data().get("order_id") == "order-7", 40)
            assert heard.has(lambda it: any(one.status == "moving" for one in it.readings), 40)
            assert heard.has(lambda it: any(one.data.get("loads") == 1 for one in it.readings), 40)
            assert heard.has(lambda it: len({one.data["x_m"] for one in it.readings if "x_m" in one.data}) > 3, 40)
            assert any(one.data.get("connection") == "online" for one in heard.readings)
            site.kill()
            assert heard.has(lambda it: ("vda_connection_broken", False) in [(one.code, one.over) for one in it.events], 40)
        finally:
            site.kill()
            site.communicate()
    data = heard.data()
    assert 90 < data["battery_pct"] <= 100
    assert (data["operating_mode"], data["map"], data["localized"]) == ("automatic", "local", True)


def test_all_of_1000_messages_are_read_in_order_and_none_of_another_vehicle(tmp_path: Path, port: int, publisher: mqtt.Client) -> None:
    with listening(Vda5050Source, tmp_path, **own(port)) as heard:

        def ready() -> bool:
            publisher.publish("vda5050/v3/Acme/AGV-1/visualization", json.dumps({"velocity": {"vx": 0}}), 1)
            time.sleep(0.05)
            return bool(heard.readings)

        assert wait_until(ready)
        for number in range(1000):
            mine, other = V21 | {"headerId": number, "distanceSinceLastNode": number}, V21 | {"serialNumber": "AGV-2"}
            publisher.publish("uagv/v2/Acme/AGV-1/state", json.dumps(mine), 1)
            publisher.publish("uagv/v2/Acme/AGV-2/state", json.dumps(other | {"distanceSinceLastNode": 5000}), 1)
            publisher.publish("uagv/v2/Acme/AGV-1/state", json.dumps(other | {"distanceSinceLastNode": 6000}), 1)
            # A site's Mosquitto queues 1,000 messages for a slow reader and drops the rest.
            if number % 100 == 99:
                assert heard.has(lambda it, last=number: it.readings[-1].data.get("since_node_m") == last, 60)
    assert [one.data["since_node_m"] for one in heard.readings if "since_node_m" in one.data] == [float(number) for number in range(1000)]


def test_a_state_of_2_1_is_read() -> None:
    found = reading(said(Vehicle(), V21))
    assert found.status == "moving"
    assert found.data == {
        "battery_pct": 81.5,
        "battery_v": 48.1,
        "battery_health_pct": 97.0,
        "charging": False,
        "range_m": 5000.0,
        "driving": True,
        "paused": False,
        "operating_mode": "automatic",
        "order_id": "order-7",
        "last_node": "dock",
        "nodes_left": 1,
        "actions_running": 1,
        "since_node_m": 1.5,
        "loads": 2,
        "load_kg": 200.5,
        "x_m": 1.0,
        "y_m": 2.0,
        "yaw_deg": 90.0,
        "map": "hall",
        "localized": True,
        "localization_pct": 93.0,
        "speed_mps": 0.5,
        "turn_dps": 0.0,
        "errors": 0,
    }


def test_a_state_of_3_0_is_read_and_what_is_wrong_begins_and_ends_once() -> None:
    vehicle = Vehicle()
    found = said(vehicle, V30)
    data = reading(found).data
    assert (data["battery_pct"], data["battery_a"], data["charging"], data["range_m"]) == (64.0, -3.5, True, 4000.0)
    assert (data["localized"], data["operating_mode"], data["errors"], reading(found).status) == (False, "teach_in", 1, "charging")
    assert events(found) == [
        ("vda_localization_error", "critical", False),
        ("vda_emergency_stop", "high", False),
        ("vda_field_violation", "medium", False),
    ]
    assert events(said(vehicle, V30)) == [], "the same again"
    milder = V30 | {"errors": [{"errorType": "LOCALIZATION_ERROR", "errorLevel": "URGENT"}], "safetyState": {}}
    assert events(said(vehicle, milder)) == [
        ("vda_localization_error", "high", False),
        ("vda_emergency_stop", "low", True),
        ("vda_field_violation", "low", True),
    ]
    assert events(said(vehicle, {"connectionState": "CONNECTION_BROKEN"}, "connection")) == [("vda_connection_broken", "high", False)]
    assert events(said(vehicle, V30 | {"errors": [], "safetyState": {}})) == [("vda_localization_error", "low", True)]
    assert events(said(vehicle, {"connectionState": "ONLINE"}, "connection")) == [("vda_connection_broken", "low", True)]
    assert events(said(vehicle, {"connectionState": "CONNECTIONBROKEN"}, "connection")) == [("vda_connection_broken", "high", False)]


def test_a_factsheet_is_told_when_it_is_new_and_an_action_that_fails_is_an_event() -> None:
    vehicle = Vehicle()
    sheet = {"version": "2.1.0", "typeSpecification": {"seriesName": "Mule", "agvClass": "CARRIER", "maxLoadMass": 500}}
    assert reading(said(vehicle, sheet, "factsheet")).data == {
        "protocol": "2.1.0",
        "series": "Mule",
        "vehicle_class": "carrier",
        "load_max_kg": 500.0,
    }
    assert said(vehicle, sheet, "factsheet") == []
    failed = {"actionStates": [{"actionId": "a", "actionType": "pick", "actionStatus": "FAILED", "resultDescription": "no pallet"}]}
    (event,) = [one for one in said(vehicle, failed) if isinstance(one, Event)]
    assert (event.code, event.detail) == ("vda_action_failed", {"action": "pick", "id": "a", "result": "no pallet"})


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a": ' * 50_000, b"9" * 10_000, b" " * (vda5050.MAX_BYTES + 1)],
)
def test_what_is_no_message_is_refused_with_the_reason(payload: bytes) -> None:
    with pytest.raises(vda5050.BadMessage):
        said(Vehicle(), payload)


def test_nobody_speaks_for_another_vehicle() -> None:
    for name in ("manufacturer", "serialNumber"):
        with pytest.raises(vda5050.BadMessage, match=name):
            said(Vehicle(), V21 | {name: "AGV-2"})


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda it: st.lists(it, max_size=4) | st.dictionaries(st.text(max_size=8), it, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted((V21 | V30).keys() - HEAD.keys())), ANY), st.sampled_from(vda5050.SUBTOPICS))
def test_fields_of_any_type_cost_themselves_alone(fields: dict[str, Any], subtopic: str) -> None:
    vehicle = Vehicle()
    said(vehicle, V21 | fields, subtopic)
    assert reading(said(vehicle, V30)).data["battery_pct"] == 64.0


def test_a_vehicle_that_has_a_thousand_errors_has_a_hundred_alarms() -> None:
    flood = V21 | {"errors": [{"errorType": f"error {number}", "errorLevel": "WARNING"} for number in range(1000)]}
    assert len(events(said(Vehicle(), flood))) == MOST


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("LOCALIZATION_ERROR", "vda_localization_error"),
        ("orderError", "vda_order_error"),
        ("¡!", "vda_error"),
        ("x" * 200, "vda_" + "x" * 60),
    ],
)
def test_an_error_has_a_code_whatever_it_is_called(name: str, code: str) -> None:
    assert code_of(name) == code


def test_topics_go_both_ways_and_others_are_none() -> None:
    topic = vda5050.parse_topic("uagv/v2/Acme/AGV-1:a.b/state")
    assert topic is not None
    assert str(topic) == "uagv/v2/Acme/AGV-1:a.b/state"
    for other in (
        "uagv/v2/Acme/AGV-1",
        "uagv/2/Acme/AGV-1/state",
        "uagv/v2/Acme/AGV 1/state",
        "uagv/v2/+/AGV-1/state",
        "/v2/A/B/state",
        "a/v2//B/state",
    ):
        assert vda5050.parse_topic(other) is None, other


@pytest.mark.parametrize("more", [{"manufacturer": "+"}, {"serial": "a/b"}, {"serial": "#"}, {"interface": "a/#"}, {"broker": "http://x"}])
def test_a_vehicle_with_a_wildcard_in_its_name_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        from_table(Vda5050Source.Settings, own(1) | more, "sources.toml [source.agv]")


def test_an_error_that_holds_for_days_is_told_every_six_hours_whatever_the_wall_clock_does() -> None:
    vehicle, told = Vehicle(), list[Event]()
    for minute in range(25 * 60):
        now = NOW + 60.0 * minute - (3 * 86400 if minute > 60 else 0)
        said = vehicle.take(STATE, json.dumps(V30 | {"safetyState": {}}).encode(), now, 60.0 * minute)
        told += [one for one in said if isinstance(one, Event)]
    assert [(event.code, event.over) for event in told] == [("vda_localization_error", False)] * 5
