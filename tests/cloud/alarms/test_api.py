"""The list of alarms over HTTP, asked by people who may and people who may not."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.testing import TestClient

from croody.accounts import services as accounts
from croody.accounts.models import Membership, Organisation
from croody.alarms.api import router
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet import services
from croody.web.refusals import Denied

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
api = NinjaAPI(urls_namespace="alarms-under-test")
api.add_router("", router)


@api.exception_handler(Denied)
def _denied(request: HttpRequest, error: Denied) -> HttpResponse:
    return JsonResponse({"detail": error.detail}, status=error.status)


client = TestClient(api)


def token(user: User) -> dict[str, str]:
    return {"X-API-Key": accounts.reset_token(user)}


@pytest.fixture
def people() -> SimpleNamespace:
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    alice, carlos = User.objects.create_user("alice"), User.objects.create_user("carlos")
    Membership.objects.create(user=alice, organisation=organisation, role="owner")
    bob = User.objects.create_user("bob")
    Membership.objects.create(user=bob, organisation=organisation, role="viewer")
    for robot_id in ("rover-1", "rover-2"):
        services.add_robot(robot_id, organisation=organisation, shared=True)
    raise_alarm("rover-1", "gap", "s1", "medium", {"missing": 2}, NOW)
    raise_alarm("rover-2", "conflict", "s1", "critical", {}, NOW)
    raise_alarm("rover-1", "offline", "", "high", {}, NOW)
    resolve_alarm("rover-1", "offline", "", NOW)
    return SimpleNamespace(alice=alice, bob=bob, carlos=carlos)


def test_alice_gets_open_alarms_first_and_may_ask_for_one_robot_and_a_limit(people):
    headers = token(people.alice)
    found = client.get("/alarms", headers=headers).json()
    assert [(row["robot_id"], row["kind"], row["resolved_at"] is None) for row in found] == [
        ("rover-2", "conflict", True),
        ("rover-1", "gap", True),
        ("rover-1", "offline", False),
    ]
    assert found[1]["detail"] == {"missing": 2}
    only = client.get("/alarms?robot_id=rover-1&limit=1", headers=headers).json()
    assert [row["kind"] for row in only] == ["gap"]


def test_carlos_and_strangers_get_none_and_a_wrong_key_is_refused(people):
    assert client.get("/alarms", headers=token(people.carlos)).json() == []
    assert client.get("/alarms").json() == []
    refused = client.get("/alarms", headers={"X-API-Key": "nobody's"})
    assert refused.status_code == 401
    assert "X-API-Key" in refused.json()["detail"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "robot_id=ab"])
def test_a_limit_or_robot_that_breaks_the_rules_is_422(people, query):
    assert client.get(f"/alarms?{query}", headers=token(people.alice)).status_code == 422


def test_alice_closes_an_alarm_bob_may_only_look_and_carlos_knows_of_none(people):
    number = Alarm.objects.get(kind="conflict").pk
    statuses = [client.post(f"/alarms/{number}/resolve", headers=token(user)).status_code for user in (people.carlos, people.bob)]
    assert statuses == [404, 403]
    closed = client.post(f"/alarms/{number}/resolve", headers=token(people.alice))
    assert closed.status_code == 200
    assert closed.json()["resolved_at"] is not None
    assert client.post(f"/alarms/{2**70}/resolve", headers=token(people.alice)).status_code == 404


def test_what_ends_by_itself_says_so_to_who_would_close_it(people):
    number = Alarm.objects.get(kind="gap").pk
    refused = client.post(f"/alarms/{number}/resolve", headers=token(people.alice))
    assert refused.status_code == 409
    assert "ends by itself" in refused.json()["detail"]


def test_many_robots_with_one_cause_are_one_row_with_its_robots_and_each_robot_still_has_its_own(people):
    organisation = Organisation.objects.get()
    names = [f"amr-{number}" for number in range(6)]
    for robot_id in names:
        services.add_robot(robot_id, organisation=organisation)
        raise_alarm(robot_id, "offline", "", "high", {}, NOW)
    headers = token(people.alice)
    (row,) = [row for row in client.get("/alarms", headers=headers).json() if row["robot_count"] > 1]
    assert (row["kind"], row["robot_id"], row["robots"], row["robot_count"], row["severity"]) == ("offline", "", names, 6, "high")
    (own,) = client.get("/alarms?robot_id=amr-3", headers=headers).json()
    assert (own["robots"], own["part_of"]) == (["amr-3"], row["id"])
    assert client.get("/alarms", headers=token(people.carlos)).json() == []
    for user, status in ((people.carlos, 404), (people.bob, 403), (people.alice, 409)):
        assert client.post(f"/alarms/{row['id']}/resolve", headers=token(user)).status_code == status
