"""Enrolment over HTTP: what a board sends, what it is told, and what strangers are told who try."""

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from croody.alarms.models import Alarm
from croody.audit.actor import SYSTEM
from croody.fleet import claims, queries
from croody.fleet.models import Robot
from croody_contract import claims as contract
from croody_contract.claims import Enrolled, Exchange, hashes_of

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def post(team: SimpleNamespace, client: Any) -> Any:
    """POST with somebody's key, or none: path, body, who -> the response."""

    def run(path: str, body: Any, who: str = "", **more: Any) -> Any:
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers = {"X-API-Key": team.keys[who]} if who else {}
        return client.post(f"/api/v1{path}", sent, content_type="application/json", headers=headers, **more)

    return run


@pytest.fixture(autouse=True)
def nobody_asked_before() -> None:
    from croody.api import enrol

    enrol.EACH.clear()
    enrol.ALL.clear()


def token(robot_id: str = "rover-1") -> str:
    return claims.claim_robot(Robot.objects.get(pk=robot_id), actor=SYSTEM, now=timezone.now()).token


def test_a_maintainer_makes_a_claim_and_a_board_comes_in_by_its_line(post: Any, get: Any):
    made = post("/robots/rover-1/claims", {"minutes": 5}, "alice")
    assert made.status_code == 201
    claim = contract.read(made.json()["line"])
    assert (claim.robot_id, made.json()["state"], made.json()["made_by"]) == ("rover-1", "open", "alice")
    answer = post("/enrol", Exchange(claim.token, hashes_of("own")))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert msgspec.json.decode(answer.content, type=Enrolled).robot_id == "rover-1"
    assert queries.robot_id_of_secret("own", timezone.now()) == "rover-1"
    listed = get("/robots/rover-1/claims").json()["items"]
    assert [(row["state"], row["used"]) for row in listed] == [("used", 1)]
    assert claim.token not in json.dumps(listed)


def test_over_tls_the_line_and_the_answer_name_the_address_that_was_used(post: Any, settings: Any):
    import dataclasses

    settings.ENV = dataclasses.replace(settings.ENV, robots_url="mqtt://robots.example:1883")
    made = post("/robots/rover-1/claims", {}, "alice", secure=True)
    claim = contract.read(made.json()["line"])
    assert claim.server == "https://testserver"
    answer = post("/enrol", Exchange(claim.token, hashes_of("own")), secure=True)
    assert answer.json()["brokers"] == ["mqtt://robots.example:1883", "wss://testserver/mqtt"]


def test_a_refusal_is_typed_and_a_second_board_is_an_alarm(post: Any):
    word = token()
    assert post("/enrol", Exchange(word, hashes_of("own"))).status_code == 200
    refused = post("/enrol", Exchange(word, hashes_of("copy")))
    assert (refused.status_code, refused.json()["code"]) == (409, "claim_used")
    unknown = post("/enrol", Exchange("A" * 24, hashes_of("copy")))
    assert (unknown.status_code, unknown.json()["code"]) == (409, "claim_unknown")
    assert Alarm.objects.get().detail == {"address": "127.0.0.1"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"token": "' + b"A" * 24 + b'"}',
        b"[" * 4000,
        b'{"token":"short","hashes":{"mqtt_hash":"","sha256":""}}',
    ],
)
def test_a_body_that_is_no_exchange_is_refused_and_changes_nothing(post: Any, body: bytes):
    assert post("/enrol", body).status_code == 422
    assert post("/enrol", b" " * 5000).status_code == 413


def test_hashes_that_would_cost_the_broker_are_refused(post: Any):
    hashes = hashes_of("own")
    costly = {"mqtt_hash": hashes.mqtt_hash.replace("$101$", "$1000000$"), "sha256": hashes.sha256}
    refused = post("/enrol", {"token": token(), "hashes": costly})
    assert refused.status_code == 422
    assert "rounds" in refused.json()["detail"]


def test_who_tries_without_end_is_told_to_wait_and_others_are_not(post: Any):
    body = Exchange("A" * 24, hashes_of("own"))
    seen = [post("/enrol", body, REMOTE_ADDR="10.0.0.1").status_code for _ in range(70)]
    assert (seen[0], seen[-1]) == (409, 429)
    assert post("/enrol", body, REMOTE_ADDR="10.0.0.2").status_code == 409


def test_an_authority_is_told_to_whoever_knows_its_fingerprint(get: Any, client: Any):
    assert client.get(f"/api/v1/enrol/authority/{'A' * 43}").status_code == 404
    assert client.get("/api/v1/enrol/authority/short").status_code == 422


def test_a_group_is_made_listed_and_revoked_by_who_configures(post: Any, get: Any):
    body = {"organisation": "alices", "group": "line", "serials": "RV-##", "most": 2}
    assert post("/claims", body, "bob").status_code == 403
    assert post("/claims", body, "carlos").status_code == 404
    made = post("/claims", body, "alice")
    assert made.status_code == 201
    word = contract.read(made.json()["line"])
    assert word.group == "line"
    assert post("/enrol", Exchange(word.token, hashes_of("own"), serial="RV-01")).json()["robot_id"] == "line-RV-01"
    assert [row["group"] for row in get("/claims").json()["items"]] == ["line"]
    assert get("/claims", "carlos").json()["items"] == []
    assert post(f"/claims/{made.json()['number']}/revoke", {}, "bob").status_code == 403
    assert post(f"/claims/{made.json()['number']}/revoke", {}, "alice").json()["items"][0]["state"] == "revoked"
    assert post("/enrol", Exchange(word.token, hashes_of("two"), serial="RV-02")).json()["code"] == "claim_revoked"
    bad = post("/claims", body | {"serials": "*x"}, "alice")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_value")
