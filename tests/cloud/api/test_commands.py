"""The server's command line does what the API does, by the same services, and the log has the machine's account beside it."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from croody.accounts.models import Token
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm
from croody.audit.models import Entry
from croody.fleet.models import Robot
from tests.cloud.telemetry.helpers import batch

pytestmark = pytest.mark.django_db(databases="__all__")


def croody(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.fixture
def alarm(team: SimpleNamespace) -> str:
    return str(raise_alarm("rover-1", "conflict", "", "high", {}, timezone.now()).pk)


def test_an_alarm_is_worked_by_hand(alarm: str):
    assert croody("alarms", "list").split("\t")[:4] == [alarm, "high", "conflict", "rover-1"]
    assert "acknowledged" in croody("alarms", "ack", alarm)
    assert croody("alarms", "assign", alarm, "alice").rstrip().endswith("alice")
    croody("alarms", "snooze", alarm, "--hours", "2")
    croody("alarms", "comment", alarm, "wheels are new")
    assert "\tover\t" in croody("alarms", "resolve", alarm)
    assert croody("alarms", "list") == ""
    assert alarm in croody("alarms", "list", "--all", "--robot", "rover-1")
    assert "\tover\t" not in croody("alarms", "reopen", alarm)
    shown = croody("alarms", "show", alarm)
    assert "severity: high" in shown
    assert "comment\twheels are new" in shown
    assert {entry.kind for entry in Entry.objects.filter(thing="alarm")} == {"command"}


def test_a_false_alarm_is_held_back_by_hand(alarm: str):
    croody("alarms", "false", alarm, "--scope", "robot", "--days", "3")
    raise_alarm("rover-1", "conflict", "", "high", {}, timezone.now())
    assert croody("alarms", "list") == ""


@pytest.mark.parametrize(
    "words",
    [("resolve", "999"), ("assign", "NUMBER", "nobody"), ("snooze", "NUMBER", "--hours", "-1"), ("snooze", "NUMBER", "--hours", "999")],
)
def test_what_cannot_be_done_to_an_alarm_is_one_sentence(alarm: str, words: tuple[str, ...]):
    with pytest.raises(CommandError):
        croody("alarms", *(alarm if word == "NUMBER" else word for word in words))
    assert Alarm.objects.get().revision == 0


def test_a_key_is_made_shown_once_and_ended(team: SimpleNamespace, client: Any):
    secret = croody("token", "create", "night job", "--user", "alice", "--scopes", "read,act", "--days", "7").strip()
    assert client.get("/api/v1/robots/rover-1", headers={"X-API-Key": secret}).status_code == 200
    listed = croody("token", "list")
    assert secret not in listed
    [line] = [line for line in listed.splitlines() if "night job" in line]
    assert line.split("\t")[2:5] == ["alice", "night job", "act,read"]
    croody("token", "revoke", line.split("\t")[0])
    assert client.get("/api/v1/robots/rover-1", headers={"X-API-Key": secret}).status_code == 401
    with pytest.raises(CommandError):
        croody("token", "revoke", line.split("\t")[0])


def test_a_services_key_is_an_organisations_with_a_role_there(team: SimpleNamespace, client: Any):
    secret = croody("token", "create", "dashboard", "--organisation", "carlos", "--days", "0").strip()
    assert client.get("/api/v1/robots/carlos-1", headers={"X-API-Key": secret}).status_code == 200
    assert client.get("/api/v1/robots/rover-1", headers={"X-API-Key": secret}).status_code == 404
    made = Token.objects.get(name="dashboard")
    assert (made.expires_at, made.role) == (None, "viewer")
    for wrong in (("--scopes", "fly"), ("--days", "-1"), ("--user", "nobody"), ("--organisation", "none")):
        with pytest.raises(CommandError):
            croody("token", "create", "x", *wrong)


def test_a_robot_is_shown_and_changed_by_hand(team: SimpleNamespace):
    shown = croody(
        "robot", "set", "rover-2", "--label", "Forklift 3", "--tags", "north, dock", "--site", "bodega", "--notes", "mind the ramp"
    )
    assert {"label: Forklift 3", "tags: north,dock", "site: bodega", "notes: mind the ramp"} <= set(shown.splitlines())
    assert "label: Forklift 3" in croody("robot", "set", "rover-2", "--tags", "")
    assert Robot.objects.get(pk="rover-2").tags == []
    assert "site: -" in croody("robot", "set", "rover-2", "--site", "")
    assert "state: maintenance" in croody("robot", "maintenance", "rover-2", "--hours", "1", "--reason", "wheels")
    assert "maintenance: -" in croody("robot", "maintenance", "rover-2", "--end")
    assert "shared: yes" in croody("robot", "share", "rover-1")
    assert "shared: no" in croody("robot", "unshare", "rover-1")
    with pytest.raises(CommandError):
        croody("robot", "set", "rover-2", "--label", "other", "--tags", "x" * 40)
    assert Robot.objects.get(pk="rover-2").label == "Forklift 3"
    with pytest.raises(CommandError):
        croody("robot", "maintenance", "rover-2", "--hours", "9999")


def test_ranges_are_exported_by_hand(team: SimpleNamespace, tmp_path: Path):
    from croody.telemetry.ingest import services

    began = timezone.now() - timedelta(minutes=5)
    said = [{"kind": "reading", "ts": (began + timedelta(seconds=number)).isoformat(), "data": {"n": number}} for number in range(3)]
    services.ingest_relay(batch("rover-1", "stream-a", 1, [*said, {"kind": "event", "code": "hit", "severity": "low"}]), now=began)
    raise_alarm("rover-1", "conflict", "", "high", {}, began)
    rows = {}
    for what in ("readings", "events", "alarms", "audit"):
        file = tmp_path / f"{what}.csv"
        croody("export", what, "--output", str(file), *(["--robot", "rover-1", "--metric", "n"] if what == "readings" else []))
        rows[what] = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["n"] for row in rows["readings"]] == ["0.0", "1.0", "2.0"]
    assert [json.loads(row["data"])["code"] for row in rows["events"]] == ["hit"]
    assert [row["kind"] for row in rows["alarms"]] == ["conflict"]
    assert {"add", "make"} <= {row["verb"] for row in rows["audit"]}
    croody("audit", "export", "--output", str(tmp_path / "log.csv"))
    assert (tmp_path / "log.csv").read_text() == (tmp_path / "audit.csv").read_text()
    with pytest.raises(CommandError):
        croody("export", "readings", "--start", "2030-01-01")
    with pytest.raises(CommandError):
        croody("export", "readings", "--output", str(tmp_path / "no" / "such" / "folder"))


def test_who_did_what_is_read_by_hand(team: SimpleNamespace):
    croody("robot", "share", "rover-1")
    [line] = croody("audit", "list", "--did", "share", "--thing", "robot").splitlines()
    assert line.split("\t")[2:5] == ["share", "robot", "rover-1"]
    assert "(command)" in line
    with pytest.raises(CommandError):
        croody("audit", "list", "--limit", "0")
