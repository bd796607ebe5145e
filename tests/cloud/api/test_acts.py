"""What is done through `/api/v1/`: the services that the console calls change alarms and robots, and each act has a name beside it."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from croody.alarms.services import raise_alarm
from croody.audit.models import Entry
from croody.fleet.models import Robot
from tests.cloud.telemetry.helpers import batch

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def send(team: SimpleNamespace, client: Any) -> Any:
    """A write with somebody's key: method, path, body, who -> the response."""

    def run(method: str, path: str, body: Any = None, who: str = "alice") -> Any:
        import json

        sent = b"" if body is None else json.dumps(body).encode()
        return client.generic(method, f"/api/v1{path}", sent, content_type="application/json", headers={"X-API-Key": team.keys[who]})

    return run


@pytest.fixture
def alarm(team: SimpleNamespace) -> int:
    return int(raise_alarm("rover-1", "conflict", "", "high", {}, timezone.now()).pk)


def soon(**more: float) -> str:
    return (timezone.now() + timedelta(**more)).isoformat()


def test_an_alarm_goes_its_way_and_keeps_its_history(send: Any, get: Any, alarm: int):
    seen = send("POST", f"/alarms/{alarm}/acknowledge").json()
    assert (seen["assignee"], seen["acknowledged_at"] is not None) == ("alice", True)
    assert send("POST", f"/alarms/{alarm}/snooze", {"until": soon(hours=2)}).json()["snoozed_until"] is not None
    assert send("POST", f"/alarms/{alarm}/assign", {"person": None}).json()["assignee"] is None
    assert send("POST", f"/alarms/{alarm}/comment", {"text": "wheels are new"}).status_code == 200
    assert send("POST", f"/alarms/{alarm}/resolve").json()["resolved_at"] is not None
    assert send("POST", f"/alarms/{alarm}/reopen").json()["resolved_at"] is None
    verbs = [one["verb"] for one in get(f"/alarms/{alarm}/history").json()["items"]]
    assert verbs == ["reopen", "close", "comment", "assign", "snooze", "acknowledge"]
    assert {one["by"] for one in get(f"/alarms/{alarm}/history").json()["items"]} == {"alice"}
    first = get(f"/alarms/{alarm}/history?limit=2").json()
    assert [one["verb"] for one in get(f"/alarms/{alarm}/history?limit=2&cursor={first['next']}").json()["items"]] == verbs[2:4]


def test_who_is_second_is_told_who_was_first(send: Any, alarm: int, team: SimpleNamespace):
    revision = send("POST", f"/alarms/{alarm}/acknowledge").json()["revision"]
    late = send("POST", f"/alarms/{alarm}/snooze", {"until": soon(hours=1), "revision": revision - 1})
    assert (late.status_code, late.json()["code"]) == (409, "late")
    assert late.json()["detail"] == f"alert {alarm}: alice was first: look at it again"
    again = send("POST", f"/alarms/{alarm}/acknowledge", {"revision": revision})
    assert (again.status_code, again.json()["code"]) == (422, "bad_act")


def test_what_ends_by_itself_is_not_closed_by_hand(send: Any, team: SimpleNamespace):
    number = raise_alarm("rover-1", "offline", "", "high", {}, timezone.now()).pk
    answer = send("POST", f"/alarms/{number}/resolve")
    assert (answer.status_code, answer.json()["code"]) == (409, "ends_by_itself")


def test_a_false_alarm_holds_back_what_is_like_it_until_that_is_ended(send: Any, get: Any, alarm: int):
    done = send("POST", f"/alarms/{alarm}/false", {"scope": "robot", "until": soon(days=7)})
    assert (done.status_code, done.json()["false"]) == (200, True)
    [held] = get("/exceptions").json()["items"]
    assert (held["scope"], held["robot_id"], held["kind"], held["by"]) == ("robot", "rover-1", "conflict", "alice")
    raise_alarm("rover-1", "conflict", "", "high", {}, timezone.now())
    assert get("/alarms").json()["items"] == []
    assert send("POST", f"/exceptions/{held['number']}/end").status_code == 200
    assert get("/exceptions").json()["items"] == []
    assert [one["kind"] for one in get("/alarms").json()["items"]] == ["conflict"]


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/alarms/{}/snooze", {"until": "2020-01-01T00:00:00Z"}, 422, None),
        ("/alarms/{}/snooze", {"until": "tomorrow"}, 422, "body.until"),
        ("/alarms/{}/snooze", {"until": "2026-01-01T00:00:00"}, 422, "body.until"),
        ("/alarms/{}/snooze", {}, 422, "body.until"),
        ("/alarms/{}/snooze", {"until": "2020-01-01T00:00:00Z", "why": 1}, 422, "body.why"),
        ("/alarms/{}/assign", {"person": "carlos"}, 422, "person"),
        ("/alarms/{}/false", {"scope": "world", "until": "2020-01-01T00:00:00Z"}, 422, "body.scope"),
        ("/alarms/{}/comment", {"text": ""}, 422, "body.text"),
        ("/alarms/{}/comment", "x" * 10, 422, "body"),
    ],
)
def test_a_bad_act_changes_nothing_and_says_what_is_wrong(
    send: Any, get: Any, alarm: int, path: str, body: Any, status: int, field: str | None
):
    answer = send("POST", path.format(alarm), body)
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.json()
    assert get(f"/alarms/{alarm}/history").json()["items"] == []


def test_a_body_that_is_no_json_is_told_so(send: Any, client: Any, team: SimpleNamespace, alarm: int):
    answer = client.post(
        f"/api/v1/alarms/{alarm}/comment", "nonsense{", content_type="application/json", headers={"X-API-Key": team.keys["alice"]}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
    large = client.post(
        f"/api/v1/alarms/{alarm}/comment", b"x" * 1_100_000, content_type="application/json", headers={"X-API-Key": team.keys["alice"]}
    )
    assert (large.status_code, large.json()["code"]) == (413, "too_large")


def test_a_viewer_sees_an_alarm_and_may_not_act(send: Any, get: Any, alarm: int):
    assert get(f"/alarms/{alarm}", "bob").status_code == 200
    assert send("POST", f"/alarms/{alarm}/acknowledge", who="bob").status_code == 403
    assert send("POST", f"/alarms/{alarm}/acknowledge", who="carlos").status_code == 404


def test_a_robot_gets_label_tags_notes_and_site_at_once_or_none_of_them(send: Any, get: Any, team: SimpleNamespace):
    done = send(
        "PATCH", "/robots/rover-2", {"label": " Forklift  3 ", "tags": ["north", "dock", "north"], "notes": "a", "site": team.site.pk}
    )
    body = done.json()
    assert (body["label"], body["tags"], body["notes"], body["site"]["slug"]) == ("Forklift 3", ["north", "dock"], "a", "bodega")
    wrong = send("PATCH", "/robots/rover-2", {"label": "other", "tags": ["a,b"]})
    assert (wrong.status_code, "comma" in wrong.json()["detail"]) == (422, True)
    assert Robot.objects.get(pk="rover-2").label == "Forklift 3"
    assert send("PATCH", "/robots/rover-2", {"site": 999}).json()["field"] == "site"
    assert send("PATCH", "/robots/rover-2", {"site": None}).json()["site"] is None
    assert get("/robots?tag=dock").json()["items"][0]["robot_id"] == "rover-2"
    assert get("/tags").json()["items"] == [{"tag": "dock", "robot_count": 1}, {"tag": "north", "robot_count": 1}]


def test_what_a_team_writes_about_a_shared_robot_is_the_teams(send: Any, get: Any):
    send("PATCH", "/robots/rover-2", {"label": "secret name", "notes": "of us"})
    public = get("/robots/rover-2", "").json()
    assert [public[name] for name in ("label", "tags", "notes", "maintenance", "open_alarms")] == [None] * 5
    assert get("/robots?tag=dock", "").json()["items"] == []


def test_maintenance_begins_and_ends_and_is_shown_meanwhile(send: Any, get: Any):
    begun = send("PUT", "/robots/rover-1/maintenance", {"until": soon(hours=3), "reason": "new wheels"}).json()
    assert (begun["state"], begun["maintenance"]["by"], begun["maintenance"]["reason"]) == ("maintenance", "alice", "new wheels")
    assert send("PUT", "/robots/rover-1/maintenance", {"until": soon(days=60)}).status_code == 422
    ended = send("DELETE", "/robots/rover-1/maintenance").json()
    assert ended["maintenance"] is None


def test_only_an_owner_shares(send: Any, get: Any):
    assert send("PUT", "/robots/rover-1/sharing", {"shared": True}, "bob").status_code == 403
    assert send("PUT", "/robots/rover-1/sharing", {"shared": True}).json()["shared"] is True
    assert get("/robots/rover-1", "").status_code == 200


def test_each_act_stands_in_the_audit_log_with_who_did_it(send: Any, get: Any, alarm: int, team: SimpleNamespace):
    send("PATCH", "/robots/rover-1", {"label": "one"})
    send("POST", f"/alarms/{alarm}/acknowledge")
    found = get("/audit?limit=2").json()
    said = [(one["verb"], one["thing"], one["thing_id"], one["name"], one["organisation"]) for one in found["items"]]
    assert said == [("acknowledge", "alarm", str(alarm), "alice", "alices"), ("label", "robot", "rover-1", "alice", "alices")]
    assert {one["kind"] for one in found["items"]} == {"token"}
    rest = get(f"/audit?limit=200&cursor={found['next']}").json()["items"]
    assert found["items"][1]["id"] not in {one["id"] for one in rest}
    assert [one["thing_id"] for one in get("/audit?thing=robot&verb=label").json()["items"]] == ["rover-1"]


def test_an_audit_log_is_its_organisations(send: Any, get: Any):
    send("PATCH", "/robots/rover-1", {"label": "one"})
    assert all(one["organisation"] != "alices" for one in get("/audit", "carlos").json()["items"])
    assert get("/audit?organisation=alices", "carlos").json() == {"items": [], "next": None}
    assert any(one["thing_id"] == "rover-1" for one in get("/audit?organisation=alices", "bob").json()["items"])
    assert get("/audit", "").status_code == 401


def test_events_of_a_robot_come_page_by_page_each_once(get: Any, team: SimpleNamespace):
    from croody.telemetry.ingest import services

    now = timezone.now()
    said = [{"kind": "event", "code": f"code_{number}", "severity": "low", "ts": now.isoformat()} for number in range(5)]
    services.ingest_relay(batch("rover-1", "stream-a", 1, said), now=now)
    seen, cursor = [], ""
    while cursor is not None:
        page = get(f"/robots/rover-1/events?limit=2&cursor={cursor}").json()
        seen += [one["data"]["code"] for one in page["items"]]
        cursor = page["next"]
    assert seen == [f"code_{number}" for number in (4, 3, 2, 1, 0)]
    assert get("/robots/rover-2/events", "carlos").status_code == 403
    later = (datetime.fromisoformat(now.isoformat()) + timedelta(minutes=1)).isoformat().replace("+", "%2B")
    assert get(f"/robots/rover-1/events?start={later}").json()["items"] == []


def test_nothing_is_written_about_a_refused_act(send: Any, alarm: int):
    before = Entry.objects.count()
    send("PATCH", "/robots/rover-1", {"label": "x" * 81})
    send("PATCH", "/robots/rover-1", {"label": "x"}, "bob")
    assert Entry.objects.count() == before
