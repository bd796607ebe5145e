"""Robots, sites and organisations for programs: what is seen, page by page, and how each is now."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from croody.alarms.services import raise_alarm
from croody.fleet import services
from croody.telemetry.ingest import services as ingest
from croody_contract.messages import Telemetry

pytestmark = pytest.mark.django_db(databases="__all__")


def ids(answer: Any) -> list[str]:
    return [one["robot_id"] for one in answer.json()["items"]]


def test_alice_sees_her_robots_carlos_his_and_nobody_what_is_not_theirs(get: Any):
    assert ids(get("/robots")) == ["rover-1", "rover-2"]
    assert ids(get("/robots", "carlos")) == ["carlos-1", "rover-2"]
    assert ids(get("/robots", "")) == ["rover-2"]
    answer = get("/robots/rover-1", "carlos")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (404, "not_found", "robot_id")


def test_pages_lead_through_all_robots_each_once(team: SimpleNamespace, get: Any):
    for number in range(5):
        services.add_robot(f"more-{number}", organisation=team.ours)
    seen, cursor = [], ""
    for _ in range(4):
        page = get(f"/robots?limit=2&cursor={cursor}").json()
        seen += [one["robot_id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["more-0", "more-1", "more-2", "more-3", "more-4", "rover-1", "rover-2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=rover", ["rover-1"]),
        ("shared=true", ["rover-2"]),
        ("q=ROVER-1", ["rover-1"]),
        ("organisation=carlos", []),
        ("organisation=alices", ["rover-1", "rover-2"]),
        ("state=unknown", ["rover-2"]),
        ("state=online", ["rover-1"]),
        ("site=999", []),
    ],
)
def test_robots_are_found_by_what_they_are(get: Any, query: str, expected: list[str]):
    ingest.ingest_one(Telemetry(data={"a": 1}), "rover-1", "http", now=timezone.now())
    assert ids(get(f"/robots?{query}")) == expected


def test_a_robot_says_how_it_is_and_what_is_wrong_only_to_who_works_with_it(team: SimpleNamespace, get: Any):
    now = timezone.now()
    ingest.ingest_one(Telemetry(data={"a": 1}), "rover-2", "http", now=now)
    raise_alarm("rover-2", "conflict", "", "high", {}, now)
    mine, public = get("/robots/rover-2").json(), get("/robots/rover-2", "carlos").json()
    assert (mine["state"], mine["open_alarms"], mine["organisation"]) == ("online", 1, "alices")
    assert mine["heard_at"] is not None
    assert public["open_alarms"] is None
    assert get("/robots/rover-1").json()["site"] == {"number": team.site.pk, "slug": "bodega", "name": "Bodega"}


def test_values_now_come_with_their_age_and_a_robot_without_any_says_so(get: Any):
    then = timezone.now() - timedelta(minutes=2)
    ingest.ingest_one(Telemetry(data={"TEMP": 21.5, "LAT": 4.6, "LON": -74.1}, status="idle"), "rover-1", "http", now=then)
    found = get("/robots/rover-1/values").json()
    assert found["values"] == {"TEMP": 21.5, "LAT": 4.6, "LON": -74.1}
    assert found["position"] == {"lat": 4.6, "lng": -74.1, "alt": None}
    assert (found["status"], found["state"]) == ("idle", "stale")
    assert 119 <= found["age_s"] <= 130
    answer = get("/robots/rover-2/values")
    assert (answer.status_code, answer.json()["detail"]) == (404, "robot_id: rover-2 has sent no reading yet")


def test_a_site_is_seen_by_its_team_and_by_who_sees_a_robot_there(team: SimpleNamespace, get: Any):
    number = team.site.pk
    assert get(f"/sites/{number}").json()["plan"] == {"width_m": 40}
    assert get("/sites").json()["items"] == [
        {
            "number": number,
            "slug": "bodega",
            "name": "Bodega",
            "organisation": "alices",
            "robot_count": 1,
            "origin": {"lat": 4.6, "lng": -74.1},
        }
    ]
    assert get(f"/sites/{number}", "carlos").status_code == 404
    services.add_robot("show-1", organisation=team.ours, site=team.site, shared=True)
    assert get(f"/sites/{number}", "carlos").json()["robot_count"] == 1


def test_organisations_are_those_one_is_in_with_ones_role(get: Any):
    assert get("/organisations", "bob").json() == {
        "items": [{"slug": "alices", "name": "Alice's", "role": "viewer", "robot_count": 2}],
        "next": None,
    }
    assert get("/organisations", "").json()["items"] == []
