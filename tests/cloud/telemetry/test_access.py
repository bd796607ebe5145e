"""Who may read and write what: every kind of caller at every endpoint, with their own robot and somebody else's."""

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from tests.cloud.telemetry.helpers import NOON, batch, reading

BASE = "/api/telemetry"
WRITERS = {
    # caller -> what comes of a reading for rover-1 (Alice's own), rover-2 (Alice's, shared), carlos-1, and a robot nobody knows
    "anonymous": (401, 401, 401, 401),
    "nobody": (401, 401, 401, 401),
    "bridge": (401, 401, 401, 401),
    # The shared token belongs to the first organisation: another team's robot is not there for it.
    "ingest": (201, 201, 404, 201),
    "rover-1": (201, 403, 403, 403),
    "alice": (201, 201, 404, 404),
    "bob": (403, 403, 404, 404),
    "carlos": (404, 403, 201, 404),
}
READERS = {
    "anonymous": (404, 200, 404, 404),
    "nobody": (401, 401, 401, 401),
    "bridge": (404, 404, 404, 404),
    "ingest": (200, 200, 404, 404),
    "rover-1": (200, 200, 404, 404),
    "alice": (200, 200, 404, 404),
    "bob": (200, 200, 404, 404),
    "carlos": (404, 200, 200, 404),
}
ROBOTS = ("rover-1", "rover-2", "carlos-1", "unknown-1")


@pytest.fixture
def api(telemetry: str, fleet: SimpleNamespace, settings: Any) -> Client:
    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    settings.ENV = dataclasses.replace(settings.ENV, ingest_token="shared-ingest-token", bridge_token="b" * 40)
    return Client()


@pytest.fixture
def keys(fleet: SimpleNamespace) -> dict[str, str]:
    from croody.accounts.services import reset_token

    people = {name: reset_token(getattr(fleet, name)) for name in ("alice", "bob", "carlos")}
    return {**people, "anonymous": "", "nobody": "wrong-ñ", "bridge": "b" * 40, "ingest": "shared-ingest-token", "rover-1": fleet.secret}


def headers(key: str) -> dict[str, str]:
    return {"X-API-Key": key} if key else {}


@pytest.mark.parametrize("caller", WRITERS)
def test_a_caller_writes_for_their_own_robots_only(api: Client, keys: dict[str, str], caller: str):
    for robot_id, status in zip(ROBOTS, WRITERS[caller], strict=True):
        body = json.dumps({"robot_id": robot_id, "data": {"x": 1}})
        response = api.post(f"{BASE}/ingest", data=body, content_type="application/json", headers=headers(keys[caller]))
        assert response.status_code == status, (caller, robot_id, response.content)
        assert status < 300 or isinstance(response.json()["detail"], str)


@pytest.mark.parametrize("caller", READERS)
@pytest.mark.parametrize("path", ["/last", "/query", "/streams"])
def test_a_caller_reads_what_they_may_know_of_and_the_rest_does_not_exist(api: Client, keys: dict[str, str], caller: str, path: str):
    from croody.telemetry.ingest import services

    for robot_id in ROBOTS[:3]:
        services.ingest_relay(batch(robot_id, "stream-a", 1, [reading(1)]), now=NOON)
    for robot_id, status in zip(ROBOTS, READERS[caller], strict=True):
        response = api.get(BASE + path, {"robot_id": robot_id}, headers=headers(keys[caller]))
        assert response.status_code == status, (caller, robot_id, response.content)
    seen = {robot_id for robot_id, status in zip(ROBOTS, READERS[caller], strict=True) if status == 200}
    if caller != "nobody":
        live = api.get(f"{BASE}/live", headers=headers(keys[caller])).json()
        assert {robot["robot_id"] for robot in live["robots"]} == seen
        assert {row["robot_id"] for row in api.get(f"{BASE}/query", headers=headers(keys[caller])).json()} == seen
        assert {row["robot_id"] for row in api.get(f"{BASE}/streams", headers=headers(keys[caller])).json()} == seen


def test_dead_letters_are_for_those_who_work_with_the_robot_and_played_by_operators(api: Client, keys: dict[str, str]):
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    for robot_id in ROBOTS[:3]:
        services.ingest_relay(batch(robot_id, "stream-a", 1, [b"[]"]), now=NOON)
    seen = {
        caller: {one["robot_id"] for one in api.get(f"{BASE}/dead-letters", headers=headers(keys[caller])).json()}
        for caller in ("alice", "bob", "carlos")
    }
    assert seen == {"alice": {"rover-1", "rover-2"}, "bob": {"rover-1", "rover-2"}, "carlos": {"carlos-1"}}
    for caller in ("anonymous", "nobody", "bridge", "rover-1"):
        assert api.get(f"{BASE}/dead-letters", headers=headers(keys[caller])).status_code == 401
    number = DeadLetter.objects.get(robot_id="rover-1").pk
    statuses = {
        caller: api.post(f"{BASE}/dead-letters/{number}/replay", headers=headers(keys[caller])).status_code
        for caller in ("anonymous", "carlos", "bob", "alice")
    }
    assert statuses == {"anonymous": 401, "carlos": 404, "bob": 403, "alice": 200}


@pytest.mark.parametrize("path", ["/bridge/relay", "/bridge/outgoing"])
def test_only_the_bridge_relays(api: Client, keys: dict[str, str], path: str):
    for caller, key in keys.items():
        response = api.post(BASE + path, data=b"{}", content_type="application/json", headers=headers(key))
        assert response.status_code == (200 if caller == "bridge" else 401), caller


def test_only_the_bridge_tells_who_came_to_the_broker_and_nonsense_is_refused_whole(api: Client, keys: dict[str, str]):
    from croody.detection.models import SecurityEvent

    def post(body: bytes, key: str) -> int:
        return api.post(f"{BASE}/bridge/security", data=body, content_type="application/json", headers=headers(key)).status_code

    # In the default database, beside the two of telemetry that this is played with.
    SecurityEvent.objects.all().delete()
    told = b'[{"noticed": [{"kind": "malformed", "address": "203.0.113.9"}]}]'
    assert {caller: post(told, key) for caller, key in keys.items()} == {caller: 204 if caller == "bridge" else 401 for caller in keys}
    assert SecurityEvent.objects.get().address == "203.0.113.9"
    for nonsense in (b"", b"{}", b'[{"noticed": [{"kind": "nonsense"}]}]', b'[{"noticed": [{"kind": "crowd", "times": 0}]}]'):
        assert post(nonsense, keys["bridge"]) == 422
    assert SecurityEvent.objects.count() == 1


def test_a_revoked_robot_neither_writes_nor_comes_back_by_being_met_again(api: Client, keys: dict[str, str], fleet: SimpleNamespace):
    from croody.fleet import services
    from croody.fleet.models import Robot
    from croody.fleet.queries import known_robots

    services.revoke(Robot.objects.get(pk="rover-1"), now=NOON)
    known_robots.__init__()  # type: ignore[misc]
    body = json.dumps({"robot_id": "rover-1", "data": {}})
    for caller, status in (("rover-1", 401), ("ingest", 403), ("alice", 404)):
        response = api.post(f"{BASE}/ingest", data=body, content_type="application/json", headers=headers(keys[caller]))
        assert response.status_code == status, caller


@pytest.mark.parametrize(
    ("peer", "more", "demo", "token", "status"),
    [
        ("127.0.0.1", {}, True, "", 201),
        ("::1", {}, True, "", 201),
        ("127.0.0.1", {}, False, "", 401),
        ("127.0.0.1", {}, True, "a-token", 401),
        ("10.0.0.7", {}, True, "", 401),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, True, "", 401),
        ("127.0.0.1", {"X-Real-IP": "203.0.113.9"}, True, "", 401),
        ("127.0.0.1", {"Origin": "https://evil.example"}, True, "", 401),
        ("127.0.0.1", {"Origin": "http://testserver"}, True, "", 201),
    ],
)
def test_openness_exists_only_in_the_demo_and_only_on_this_machine(
    api: Client, settings: Any, peer: str, more: dict[str, str], demo: bool, token: str, status: int
):
    settings.ENV = dataclasses.replace(settings.ENV, ingest_token=token, demo=demo)
    body = json.dumps({"robot_id": "robot-clases", "data": {"TEMP": 1}})
    response = api.post(f"{BASE}/ingest", data=body, content_type="application/json", REMOTE_ADDR=peer, headers=more)
    assert response.status_code == status
    enrol = api.post(
        f"{BASE}/demo/robots", data=b'{"prefix":"sim","count":2}', content_type="application/json", REMOTE_ADDR=peer, headers=more
    )
    assert enrol.status_code == (200 if status == 201 else 404)


def test_the_demo_makes_robots_whose_secrets_work(api: Client, settings: Any):
    from croody.fleet.models import Robot

    settings.ENV = dataclasses.replace(settings.ENV, ingest_token="", demo=True)
    made = [
        api.post(f"{BASE}/demo/robots", data=b'{"prefix":"sim","count":2,"kind":"rover"}', content_type="application/json").json()["robots"]
        for _ in range(2)
    ]
    ids = [robot["robot_id"] for group in made for robot in group]
    assert len(set(ids)) == 4
    assert all(robot_id.startswith("sim-") for robot_id in ids)
    assert set(Robot.objects.filter(pk__in=ids).values_list("kind", "shared", "organisation__slug")) == {("rover", True, "demo")}
    body = json.dumps({"robot_id": ids[0], "data": {}})
    answer = api.post(f"{BASE}/ingest", data=body, content_type="application/json", headers={"X-API-Key": made[0][0]["secret"]})
    assert answer.status_code == 201
    for wrong in (
        b'{"count":0}',
        b'{"count":501}',
        b'{"count":"2"}',
        b'{"prefix":""}',
        b'{"prefix":"a/b"}',
        b'{"kind":"\\u0000"}',
        b"[]",
        b"",
        b'{"x":1}',
    ):
        refused = api.post(f"{BASE}/demo/robots", data=wrong, content_type="application/json")
        assert refused.status_code in (400, 422), wrong
        assert isinstance(refused.json()["detail"], str)


@pytest.mark.parametrize("path", ["/last", "/query", "/streams", "/alarms", "/dead-letters", "/chart"])
def test_ids_that_no_database_holds_are_no_robots(api: Client, keys: dict[str, str], path: str):
    for robot_id in ("a\x00bc", "\x00\x00\x00", "x" * 64, "\ufffd" * 3):
        query = {"robot_id": robot_id, "metric": "\x00", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
        assert api.get(BASE + path, query, headers=headers(keys["alice"])).status_code in (200, 404, 422)


def test_what_ingest_answers_is_a_receipt_for_the_agent_and_its_refusals_are_told_apart(api: Client, keys: dict[str, str]):
    from croody_edge.sync.answers import Outage, Refused, Stored, meaning

    def sent(body: dict[str, Any], key: str = "rover-1") -> object:
        answer = api.post(f"{BASE}/ingest", data=json.dumps(body), content_type="application/json", headers=headers(keys[key]))
        return meaning(answer.status_code, answer.content, "rover-1")

    assert sent({"robot_id": "rover-1", "data": {"temp_c": 21.5, "mode": "café"}}) == Stored()
    for wrong in ({"data": {"a": None}}, {"data": {"lat": 95, "lon": 1}}, {"data": {}, "ts": 1790000000}):
        assert isinstance(sent({"robot_id": "rover-1", **wrong}), Refused), wrong
    assert isinstance(sent({"robot_id": "rover-2", "data": {}}), Outage), "another robot's key"
    assert isinstance(meaning(413, b'{"detail":"body: more than 1048576 bytes"}', "rover-1"), Refused), "our own: it stays too large"
    assert isinstance(meaning(413, b"<html>Request Entity Too Large</html>", "rover-1"), Outage), "a proxy's"
