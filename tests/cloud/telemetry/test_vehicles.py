"""What VDA 5050 vehicles say at our own broker becomes readings, events and alarms of their robots; on both databases."""

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from croody_contract import messages, vda5050
from croody_contract.relay import Relay, Sender, VehicleItem
from tests.cloud.telemetry.helpers import NOON
from tests.cloud.telemetry.test_races import _in_threads
from tests.edge_agent.sources.robots.test_vda5050 import V21, V30

TOPIC = "uagv/v2/Acme/AGV-1/"


@pytest.fixture
def agv(fleet: SimpleNamespace) -> str:
    from croody.fleet import services, vehicles

    services.add_robot("agv-1", organisation=fleet.alices, prepare=lambda robot: vehicles.bind(robot, "Acme/AGV-1"))
    services.add_robot("agv-2", organisation=fleet.alices, prepare=lambda robot: vehicles.bind(robot, "Acme/AGV-2"))
    return "agv-1"


def item(subtopic: str, message: Any, number: int = 0, topic: str = TOPIC) -> VehicleItem:
    return VehicleItem(
        topic + subtopic, msgspec.Raw(message if isinstance(message, bytes) else json.dumps(message).encode()), number, number
    )


def ingest(*items: VehicleItem, seconds: float = 0, sender: Sender | None = None) -> None:
    from croody.telemetry.ingest import services

    services.ingest_relay(Relay(sender=sender, vehicles=list(items)), now=NOON + timedelta(seconds=seconds))


def rows(robot_id: str = "agv-1", kind: str | None = None) -> list[Any]:
    from croody.telemetry.models import Record

    found = Record.objects.filter(robot_id=robot_id).order_by("seq")
    return list(found.filter(kind=kind) if kind else found)


def letters() -> list[tuple[str, str]]:
    from croody.telemetry.models import DeadLetter

    return list(DeadLetter.objects.order_by("id").values_list("robot_id", "reason"))


def state(**more: Any) -> dict[str, Any]:
    return V21 | more


def test_a_state_is_a_reading_and_what_is_wrong_begins_and_ends_once(agv: str):
    wrong = [{"errorType": "orderError", "errorLevel": "FATAL"}]
    for second, errors in enumerate(([], wrong, wrong, [])):
        ingest(item("state", state(errors=errors)), seconds=second)
    assert [one.kind for one in rows()] == ["born", "reading", "event", "reading", "reading", "event", "reading"]
    assert [(one.data["code"], one.data.get("severity"), one.data.get("over", False)) for one in rows(kind="event")] == [
        ("vda_order_error", "critical", False),
        ("vda_order_error", None, True),
    ]
    assert [one.data["battery_pct"] for one in rows(kind="reading")] == [81.5] * 4
    assert letters() == []


def test_its_error_is_an_alarm_that_ends_with_it(agv: str):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    ingest(item("state", state(errors=[{"errorType": "orderError", "errorLevel": "FATAL"}])))
    jobs.raise_alarms(NOON + timedelta(seconds=1))
    assert Alarm.objects.get(robot_id=agv).resolved_at is None
    ingest(item("state", state(errors=[])), seconds=5)
    jobs.raise_alarms(NOON + timedelta(seconds=6))
    assert Alarm.objects.get(robot_id=agv).resolved_at is not None


def test_a_position_of_visualization_stands_beside_what_the_state_said_until_that_is_stale(agv: str):
    from croody.telemetry.read.newest import newest_of

    where = {"agvPosition": {"x": 7.0, "y": 8.0, "theta": 0.0, "mapId": "hall", "positionInitialized": True}}
    ingest(item("connection", {"connectionState": "ONLINE"}), item("state", V21))
    ingest(item("visualization", where), seconds=30)
    assert newest_of([agv])[agv].stream == "mqtt"
    newest = rows(kind="reading")[-1]
    assert (newest.data["x_m"], newest.data["battery_pct"], newest.data["connection"], newest.status) == (7.0, 81.5, "online", "moving")
    ingest(item("visualization", where), seconds=120)
    newest = rows(kind="reading")[-1]
    assert ("battery_pct" in newest.data, newest.data["connection"], newest.status) == (False, "online", None)


def test_pages_know_by_its_first_record_what_its_values_are(agv: str):
    from croody.telemetry.read.metric_infos import said_by_robot

    ingest(item("state", V30))
    assert said_by_robot(agv)["battery_pct"].unit == "%"


def test_connection_and_factsheet_are_kept_and_told_once_however_often_the_broker_brings_them(agv: str):
    from croody.telemetry.models import VehicleMemory

    sheet = {"version": "2.1.0", "typeSpecification": {"seriesName": "Tug", "maxLoadMass": 500}}
    for second in range(3):
        ingest(item("factsheet", sheet), item("connection", {"connectionState": "CONNECTIONBROKEN"}), seconds=second)
    assert [one.data["code"] for one in rows(kind="event")] == ["vda_connection_broken"]
    assert len([one for one in rows(kind="reading") if one.data.get("series") == "Tug"]) == 4, (
        "one of the sheet, three beside the connection's"
    )
    memory = json.loads(VehicleMemory.objects.get(robot_id=agv).memory)
    assert memory["factsheet"]["load_max_kg"] == 500
    assert memory["said"]["connection"][0] == "broken"


@pytest.mark.parametrize(
    ("topic", "message", "who", "reason"),
    [
        ("uagv/v2/Acme/AGV-2/state", V21, "agv-2", "bad_message"),
        ("uagv/v2/Other/AGV-1/state", V21, "", "unknown_robot"),
        ("vda5050/v2/Acme/AGV-1/state", V21, "", "unknown_robot"),
        ("uagv/v2/Acme/AGV-1/state", b"[]", "agv-1", "bad_message"),
        ("uagv/v2/Acme/AGV-1/order", V21, None, None),
    ],
)
def test_nobody_speaks_for_another_and_what_cannot_be_read_is_a_dead_letter(agv: str, topic: str, message: Any, who: str, reason: str):
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    ingest(VehicleItem(topic, msgspec.Raw(raw)))
    assert letters() == ([(who, reason)] if reason else [])
    assert rows("agv-1") == rows("agv-2") == []


def test_a_revoked_vehicle_is_heard_no_more_and_its_name_is_free(agv: str, fleet: SimpleNamespace):
    from croody.fleet import services, vehicles
    from croody.fleet.models import Robot

    with pytest.raises(services.BadRobot, match="agv-1"):
        services.add_robot("agv-3", organisation=fleet.alices, prepare=lambda robot: vehicles.bind(robot, "Acme/AGV-1"))
    assert not Robot.objects.filter(pk="agv-3").exists()
    services.revoke(Robot.objects.get(pk=agv), now=NOON)
    ingest(item("state", V21))
    assert letters() == [("", "unknown_robot")]
    services.add_robot("agv-3", organisation=fleet.alices, prepare=lambda robot: vehicles.bind(robot, "Acme/AGV-1"))
    ingest(item("state", V21))
    assert [one.kind for one in rows("agv-3")] == ["born", "reading"]


def test_a_message_that_is_brought_twice_is_stored_once(agv: str):
    sender = Sender("bridge", "run-1", 1, "bridge")
    errors = [{"errorType": "orderError", "errorLevel": "WARNING"}]
    for _ in range(2):
        ingest(item("state", state(errors=errors), 1), item("state", state(errors=[]), 2), sender=sender)
    assert [one.kind for one in rows()] == ["born", "event", "reading", "event", "reading"]


def test_two_bridges_that_speak_of_one_vehicle_at_once_tell_each_error_once(agv: str):
    ingest(item("state", V21))
    errors = [{"errorType": "orderError", "errorLevel": "WARNING"}]
    _in_threads([Relay(vehicles=[item("state", state(errors=errors))])] * 4)
    assert len(rows(kind="event")) == 1
    assert len(rows(kind="reading")) == 5


def test_every_recorded_message_is_read(agv: str):
    from tests.edge_agent.sources.robots import test_vda5050

    folder = Path(test_vda5050.__file__).parent
    assert folder.exists()
    found = [item("state", V21), item("state", V30), item("visualization", V21), item("visualization", V30)]
    found += [item("connection", {"connectionState": word}) for word in ("ONLINE", "OFFLINE", "CONNECTIONBROKEN", "HIBERNATING")]
    found += [item("factsheet", {"version": "3.0.0", "typeSpecification": {"seriesName": str(n)}}) for n in range(10)]
    ingest(*found)
    assert letters() == []
    assert len(rows(kind="reading")) == len(found)
    for one in rows(kind="event"):
        fields = {"kind": "event", **one.data}
        messages.decode_record(json.dumps(fields).encode())


def test_a_name_that_no_topic_carries_makes_no_robot(fleet: SimpleNamespace):
    from croody.fleet import services, vehicles
    from croody.fleet.models import Robot

    for name in ("Acme", "Acme/", "/1", "A/+", "A/B/C", "A/#"):
        with pytest.raises(services.BadRobot, match=r"MANUFACTURER|FABRICANTE"):
            services.add_robot("agv-9", organisation=fleet.alices, prepare=lambda robot, name=name: vehicles.bind(robot, name))
    assert not Robot.objects.filter(pk="agv-9").exists()


def test_its_account_is_bound_to_its_branch_in_the_brokers_file(agv: str, tmp_path: Path):
    from croody.fleet.jobs import CredentialWriter

    assert CredentialWriter(tmp_path, "x" * 40)()
    lines = (tmp_path / "acl").read_text().splitlines()
    at = lines.index("user agv-1")
    assert lines[at + 1] == f"topic readwrite {vda5050.branch('uagv', 'Acme', 'AGV-1')}/#"


@pytest.mark.parametrize("key", ["a\\ud800", "a\\u0000b", "\\u001b[31m", "a\\u202eb"])
def test_a_name_that_no_text_can_hold_costs_neither_its_message_nor_another_vehicle(agv: str, key: str):
    error = '"errorType":"odd","errorLevel":"FATAL","errorReferences":[{"referenceKey":"KEY","referenceValue":"1"}]'
    odd = f'{{"errors":[{{{error}}}]}}'.replace("KEY", key).encode()
    ingest(item("state", odd), item("state", {"driving": True}, topic="uagv/v2/Acme/AGV-2/"))
    assert [one.data["code"] for one in rows(kind="event")] == ["vda_odd"]
    assert all(name.isprintable() for one in rows(kind="event") for name in one.data["detail"])
    assert [one.data["driving"] for one in rows("agv-2", "reading")] == [True]
    assert letters() == []


def test_an_error_of_three_days_keeps_its_one_alarm_and_is_told_every_six_hours(agv: str):
    from croody.alarms import jobs as alarms
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    wrong = state(errors=[{"errorType": "orderError", "errorLevel": "FATAL"}])
    for hour in range(0, 73, 2):
        ingest(item("state", wrong), seconds=3600 * hour)
        jobs.raise_alarms(NOON + timedelta(hours=hour, seconds=1))
        alarms.close_old(NOON + timedelta(hours=hour, seconds=2))
    assert len(rows(kind="event")) == 13
    alarm = Alarm.objects.get(robot_id=agv, kind="vda_order_error")
    assert (alarm.resolved_at, alarm.count) == (None, 13)


def test_a_memory_that_knows_no_times_tells_what_holds_once_more(agv: str):
    from croody.telemetry.models import VehicleMemory

    wrong = state(errors=[{"errorType": "orderError", "errorLevel": "FATAL"}])
    ingest(item("state", wrong))
    row = VehicleMemory.objects.get(robot_id=agv)
    memory = json.loads(row.memory)
    assert memory.pop("told_s")
    VehicleMemory.objects.filter(robot_id=agv).update(memory=json.dumps(memory))
    for second in (1, 2):
        ingest(item("state", wrong), seconds=second)
    assert len(rows(kind="event")) == 2
