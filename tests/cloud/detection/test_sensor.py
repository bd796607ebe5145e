"""The sensor: frames to files, files to an alarm, and the minute around it for those who may."""

import dataclasses
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client

from croody.alarms.models import Alarm
from croody.audit.models import Entry
from croody.detection.models import Incident, SignTally
from croody.detection.sensor import findings
from croody.detection.sensor.__main__ import run
from croody.detection.sensor.interface import Interface
from croody.detection.sensor.ring import Ring
from croody.detection.sensor.watch import MOST, Watch
from croody_contract.flows import capture
from croody_contract.flows.capture import Frame
from tests.contract.frames import SECOND, START, Wire, udp
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.django_db(databases="__all__")
THIEF, BROKER = "10.0.0.9", "10.0.0.1"
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def scan(folder: Path, thief: str = THIEF) -> None:
    wire = Wire([])
    for number in range(100):
        wire.put(udp("10.0.0.7", 5_000, BROKER, 9_999, b"x"), 1)
        if number == 80:
            for port in range(1, 41):
                wire.refused(thief, 50_000, BROKER, port)
    watch = Watch(folder, None)
    for frame in wire.frames:
        watch.take(frame)
    watch.pass_time(START + 200 * SECOND)
    watch.say(START + 200 * SECOND, 3)
    watch.close()


@pytest.fixture
def captures(tmp_path: Path, settings) -> Path:
    settings.ENV = dataclasses.replace(settings.ENV, captures=str(tmp_path))
    return tmp_path


def test_an_incident_is_an_alarm_with_who_and_its_minute_is_a_capture(captures: Path, people: SimpleNamespace):
    scan(captures)
    findings.read_sensor(NOW)
    findings.read_sensor(NOW)
    (alarm,), (incident,) = Alarm.objects.all(), Incident.objects.all()
    assert (alarm.kind, alarm.organisation, alarm.detail["offender"], alarm.count) == ("intrusion", people.organisation, THIEF, 1)
    assert (incident.offender, incident.worst, incident.evidence["port_scan"]["seconds"]) == (THIEF, "port_scan", 10)
    assert incident.concerns.get().organisation == people.organisation, "said of by whom the alarm is for"
    path = findings.capture_of(alarm.detail["capture"])
    with path.open("rb") as file:
        times = [(frame.at_ns - START) // SECOND for frame in capture.read(file)]
    assert len(times) > 100
    assert times[0] in range(20, 24), "a minute before"
    assert SignTally.objects.get(source="sensor").left_out == 3


def test_who_acts_on_the_alarm_fetches_the_minute_and_who_only_looks_or_is_a_stranger_does_not(captures: Path, people: SimpleNamespace):
    scan(captures)
    findings.read_sensor(NOW)
    where = f"/es/console/detection/captures/{Alarm.objects.get().pk}/"
    got = {}
    for user in (people.alice, people.bob, people.carlos):
        client = Client()
        client.force_login(user)
        answer = client.get(where)
        got[user.username] = answer.status_code
        if answer.status_code == 200:
            assert b"".join(answer.streaming_content)[:4] == b"\x4d\x3c\xb2\xa1"
    assert got == {"alice": 200, "bob": 403, "carlos": 404}
    assert Entry.objects.filter(verb="fetch", thing="capture").count() == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "1-a/../b", "", "1-a.json", "x" * 100])
def test_a_name_leads_nowhere_else(captures: Path, name: str):
    assert findings.capture_of(name) is None


def test_what_is_damaged_says_nothing(captures: Path, people: SimpleNamespace):
    scan(captures)
    (path,) = (captures / "incidents").glob("*.json")
    for text in ("", "[]", "{", json.dumps({"offender": "x", "severity": "odd", "evidence": [{"kind": "port_scan"}]})):
        path.write_text(text)
        findings.read_sensor(NOW)
    assert not Alarm.objects.exists()


def test_the_ring_and_what_is_kept_are_bounded(tmp_path: Path):
    ring = Ring(tmp_path / "ring", segment_bytes=1_000, segments=3)
    for number in range(1_000):
        ring.put(Frame(START + number * SECOND, 1, 100, bytes(100)))
    ring.close()
    assert len(list((tmp_path / "ring").glob("*.pcap"))) == 3
    assert sum(path.stat().st_size for path in (tmp_path / "ring").glob("*.pcap")) < 4_000
    watch = Watch(tmp_path, None)
    for number in range(MOST + 5):
        (tmp_path / "incidents" / f"{number}-x.json").write_text("{}")
    watch._forget()
    watch.close()
    assert len(list((tmp_path / "incidents").glob("*.json"))) == MOST


@pytest.mark.skipif(os.geteuid() != 0, reason="a packet socket needs CAP_NET_RAW")
def test_it_watches_a_real_interface_and_says_how_it_is(tmp_path: Path):
    end, watch = threading.Event(), Watch(tmp_path, None)
    thread = threading.Thread(target=run, args=(Interface("lo"), watch, end))
    thread.start()
    waited = threading.Event()
    for _ in range(int(PATIENCE_S * 10)):
        if (tmp_path / "sensor.json").exists():
            break
        waited.wait(0.1)
    end.set()
    thread.join(PATIENCE_S)
    assert set(json.loads((tmp_path / "sensor.json").read_text())) == {"at", "frames", "lost", "left_out"}
