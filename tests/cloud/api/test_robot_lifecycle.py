"""Robots are added, shut out and brought back through `/api/v1/` as in the wizard, and keys are made that never widen themselves."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from croody.audit.models import Entry
from croody.fleet import services
from croody.fleet.models import Robot
from tests.cloud.api.test_acts import send  # noqa: F401

pytestmark = pytest.mark.django_db(databases="__all__")
NEW = {"robot_id": "amr-07", "organisation": "alices"}


def test_a_robot_is_added_with_its_secret_told_once_and_its_name_in_the_log(send: Any, get: Any, team: SimpleNamespace):  # noqa: F811
    answer = send("POST", "/robots", {**NEW, "kind": "rover", "label": "Forklift 7", "site": team.site.pk})
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    robot, secret = answer.json()["robot"], answer.json()["secret"]
    assert (robot["label"], robot["site"]["slug"], robot["state"], robot["shared"]) == ("Forklift 7", "bodega", "unknown", False)
    assert services.sha256_of(secret) == Robot.objects.get(pk="amr-07").credential.sha256
    assert secret not in get("/robots/amr-07").content.decode()
    assert list(Entry.objects.filter(thing_id="amr-07").order_by("pk").values_list("verb", "name")) == [
        ("add", "alice"),
        ("label", "alice"),
    ]


@pytest.mark.parametrize(
    ("body", "who", "status", "code"),
    [
        ({**NEW, "robot_id": "a b"}, "alice", 422, "bad_value"),
        ({**NEW, "robot_id": "new"}, "alice", 422, "bad_value"),
        ({**NEW, "robot_id": "rover-1"}, "alice", 409, "taken"),
        ({**NEW, "robot_id": "carlos-1"}, "alice", 409, "taken"),
        ({**NEW, "organisation": "carlos"}, "alice", 404, "not_found"),
        ({**NEW, "site": 999}, "alice", 422, "bad_value"),
        ({**NEW, "label": "x" * 81}, "alice", 422, "bad_value"),
        ({**NEW, "colour": "red"}, "alice", 422, "bad_value"),
        (NEW, "bob", 403, "forbidden"),
        (NEW, "carlos", 404, "not_found"),
    ],
)
def test_what_cannot_be_added_is_not_and_says_why(send: Any, body: Any, who: str, status: int, code: str):  # noqa: F811
    before = Robot.objects.count()
    answer = send("POST", "/robots", body, who)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert Robot.objects.count() == before


def test_of_another_organisations_robot_nothing_is_told_but_that_its_name_is_in_use(send: Any, team: SimpleNamespace):  # noqa: F811
    live = send("POST", "/robots", {**NEW, "robot_id": "carlos-1"}).json()
    Robot.objects.filter(pk="carlos-1").update(deleted_at=team.ours.pk and "2026-11-24T12:00:00Z")
    assert send("POST", "/robots", {**NEW, "robot_id": "carlos-1"}).json() == live
    assert send("POST", "/robots/carlos-1/bring-back", {}).status_code == 404


def test_sharing_and_bringing_back_are_the_owners(send: Any, team: SimpleNamespace):  # noqa: F811
    team.ours.memberships.filter(user=team.bob).update(role="maintainer")
    assert send("POST", "/robots", {**NEW, "shared": True}, "bob").status_code == 403
    assert send("POST", "/robots", NEW, "bob").status_code == 201
    assert send("DELETE", "/robots/amr-07", who="bob").status_code == 403
    assert send("POST", "/robots/amr-07/secret", who="bob").status_code == 200
    assert send("DELETE", "/robots/amr-07").json()["robot_id"] == "amr-07"
    assert send("POST", "/robots/amr-07/bring-back", {}, "bob").status_code == 403
    assert send("POST", "/robots", NEW).json()["code"] == "revoked"
    back = send("POST", "/robots/amr-07/bring-back", {"site": team.site.pk}).json()["robot"]
    assert (back["site"]["slug"], back["kind"], back["shared"]) == ("bodega", "robot", False)
    assert send("POST", "/robots/amr-07/bring-back", {}).status_code == 404


def test_a_person_makes_lists_and_revokes_keys_and_the_log_has_them(send: Any, get: Any, team: SimpleNamespace):  # noqa: F811
    made = send("POST", "/tokens", {"name": " plant  one ", "scopes": ["read", "manage"], "days": 7})
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    token, secret = made.json()["token"], made.json()["secret"]
    assert (token["name"], token["scopes"], token["organisation"], token["made_by"]) == ("plant one", ["manage", "read"], None, "alice")
    assert [one["name"] for one in get("/tokens").json()["items"]] == ["", "plant one"]
    assert secret not in get("/tokens").content.decode()
    assert [one["name"] for one in get("/tokens", "bob").json()["items"]] == [""]
    assert send("DELETE", f"/tokens/{token['number']}", who="carlos").status_code == 404
    assert send("DELETE", f"/tokens/{token['number']}").json()["revoked_at"] is not None
    team.keys["gone"] = secret
    assert get("/robots", "gone").status_code == 401
    verbs = Entry.objects.filter(thing="token", thing_id=token["prefix"]).order_by("pk").values_list("verb", "name")
    assert list(verbs) == [("make", "alice"), ("revoke", "alice")]


def test_a_key_makes_none_that_can_more_or_works_longer(send: Any, team: SimpleNamespace):  # noqa: F811
    team.keys["narrow"] = send("POST", "/tokens", {"name": "a", "scopes": ["read", "manage"], "days": 7}).json()["secret"]
    for body in ({"scopes": ["read", "act"], "days": 1}, {"scopes": ["read"], "days": 30}, {"scopes": ["read"], "days": None}):
        answer = send("POST", "/tokens", {"name": "b", **body}, "narrow")
        assert (answer.status_code, answer.json()["code"]) == (422, "too_wide"), body
    assert send("POST", "/tokens", {"name": "b", "scopes": ["read"], "days": 6}, "narrow").status_code == 201
    team.keys["reads"] = send("POST", "/tokens", {"name": "c", "scopes": ["read"], "days": 7}).json()["secret"]
    assert send("POST", "/tokens", {"name": "d", "scopes": ["read"], "days": 1}, "reads").status_code == 403


def test_a_services_key_has_its_own_role_and_only_owners_make_it(send: Any, get: Any, team: SimpleNamespace):  # noqa: F811
    body = {"name": "svc", "scopes": ["read", "manage"], "organisation": "alices", "role": "viewer"}
    made = send("POST", "/tokens", body).json()
    assert (made["token"]["organisation"], made["token"]["role"]) == ("alices", "viewer")
    team.keys["svc"] = made["secret"]
    assert send("POST", "/tokens", {**body, "days": 1}, "svc").status_code == 403
    assert send("POST", "/tokens", {"name": "own", "scopes": ["read"], "days": 1}, "svc").json()["field"] == "organisation"
    assert send("POST", "/tokens", body, "bob").status_code == 403
    assert get("/tokens?organisation=alices", "bob").status_code == 403
    assert [one["name"] for one in get("/tokens?organisation=alices").json()["items"]] == ["svc"]
    assert send("POST", "/tokens", {"name": "x", "scopes": ["read"], "role": "owner"}).json()["field"] == "role"


def test_there_are_twenty_keys_and_no_more(send: Any):  # noqa: F811
    for number in range(20):
        assert send("POST", "/tokens", {"name": str(number), "scopes": ["read"]}).status_code == 201
    answer = send("POST", "/tokens", {"name": "one more", "scopes": ["read"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")


def test_a_robot_changes_its_secret_by_itself_and_the_api_says_how_far_it_is(send: Any, get: Any, team: SimpleNamespace):  # noqa: F811
    from croody.commands import services as commands
    from croody.commands.models import Outgoing
    from croody.telemetry.ingest import services as ingest
    from croody_contract.claims import hashes_of
    from croody_contract.messages import Answer, Born, Reading
    from tests.cloud.telemetry.helpers import batch

    path, now = "/robots/rover-1/secret/rotation", timezone.now()
    assert get(path).json()["state"] == "never"
    assert send("POST", path, {}).status_code == 422
    records = [Born(agent="croody-edge 9", capabilities=["rotate"], ts=now), Reading(data={"TEMP": 1.0}, ts=now)]
    ingest.ingest_relay(batch("rover-1", "of-a-newer-agent", 1, records), now=now)
    asked = send("POST", path, {})
    assert (asked.status_code, asked.json()["state"]) == (201, "asked")
    assert send("POST", path, {}).json()["asked_at"] == asked.json()["asked_at"]
    row = Outgoing.objects.get(kind="rotate")
    for said in (Answer("received", hashes=hashes_of("its own")), Answer("done")):
        commands.answer("rover-1", row.pk, said, now=now)
        assert get(path).json()["state"] == said.state
