"""Who comes in to `/api/v1/` and how refusals look: keys, sessions with CSRF, rates, and one shape for every error."""

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client

from croody.accounts.services import reset_token, revoke_token
from croody.alarms.services import raise_alarm
from croody.api import rates
from croody.api.rates import Buckets
from tests.cloud.api.conftest import NOW

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.parametrize("headers", [{"X-API-Key": "KEY"}, {"Authorization": "Bearer KEY"}, {"Authorization": "bearer  KEY "}])
def test_a_key_comes_in_either_header(team: SimpleNamespace, headers: dict[str, str]):
    sent = {name: value.replace("KEY", team.keys["alice"]) for name, value in headers.items()}
    assert Client().get("/api/v1/robots/rover-1", headers=sent).status_code == 200


def test_the_older_api_does_not_look_at_a_bearers_key(team: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    assert Client().get("/api/telemetry/streams", headers={"Authorization": "Bearer of-a-proxy"}).status_code == 200


def test_a_key_that_is_nobodys_or_no_more_is_refused(team: SimpleNamespace):
    revoke_token(team.alice)
    for key in ("nonsense", team.keys["alice"]):
        answer = Client().get("/api/v1/robots", headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (401, "no_key", "X-API-Key")


def test_a_token_needs_the_scope_of_what_it_does(team: SimpleNamespace):
    number = raise_alarm("rover-1", "conflict", "", "high", {}, NOW).pk
    key = reset_token(team.alice, scopes=["read"])
    answer = Client().post(f"/api/v1/alarms/{number}/resolve", headers={"X-API-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "'act'" in answer.json()["detail"]


def test_a_session_reads_and_writes_only_with_the_pages_token(team: SimpleNamespace):
    number = raise_alarm("rover-1", "conflict", "", "high", {}, NOW).pk
    client = Client(enforce_csrf_checks=True)
    client.force_login(team.alice)
    assert client.get("/api/v1/robots/rover-1").status_code == 200
    refused = client.post(f"/api/v1/alarms/{number}/resolve")
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (403, "csrf", "X-CSRFToken")
    client.get("/cuenta/perfil/")
    token = client.cookies[site_settings.CSRF_COOKIE_NAME].value
    done = client.post(f"/api/v1/alarms/{number}/resolve", "{}", content_type="application/json", headers={"X-CSRFToken": token})
    assert (done.status_code, done.json()["resolved_at"] is not None) == (200, True)


@pytest.mark.parametrize(
    ("path", "field", "value", "rule"),
    [
        ("/robots?limit=9000", "limit", "9000", "200 at most"),
        ("/robots?limit=0", "limit", "0", "1 at least"),
        ("/robots?limit=x", "limit", "x", ""),
        ("/robots?state=happy", "state", "happy", "one of"),
        ("/robots?cursor=nonsense!", "cursor", "nonsense!", "none that this list gave"),
        ("/robots?cursor=WzFd", "cursor", "WzFd", "none that this list gave"),
        ("/sites/99999999999999999999", "number", "99999999999999999999", "at most"),
        ("/alarms?status=all&kind=offline", "kind", "offline", "only open alarms"),
        ("/series?robot_id=rover-1&metric=a&end=2026-11-24T00:00:00Z", "start", "", "needed"),
    ],
)
def test_a_wrong_value_is_named_with_its_rule_and_remedy(get: Any, path: str, field: str, value: str, rule: str):
    answer = get(path)
    body = answer.json()
    assert (answer.status_code, body["code"], body["field"]) == (422, "bad_value", field)
    assert value in (body["value"] or "")
    assert rule in body["rule"]
    assert body["remedy"]
    assert body["detail"].startswith(f"{field}: ")


def test_what_the_contract_refuses_keeps_its_sentence(get: Any):
    answer = get("/series?robot_id=rover-1&metric=a&start=2026-11-25T00:00:00Z&end=2026-11-24T00:00:00Z")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "bad_value", "start")


def test_an_address_that_is_not_there_and_a_wrong_method_are_told_in_json(team: SimpleNamespace):
    gone = Client().get("/api/v1/nothing/at/all")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert "/api/v1/docs" in gone.json()["detail"]
    wrong = Client().delete("/api/v1/robots")
    assert (wrong.status_code, set(wrong["Allow"].split(", ")), wrong.json()["code"]) == (405, {"GET", "POST"}, "wrong_method")
    assert Client().delete("/en/api/v1/robots").json()["code"] == "wrong_method"


def test_head_answers_as_get_without_a_body(team: SimpleNamespace):
    answer = Client().head("/api/v1/robots", headers={"X-API-Key": team.keys["alice"]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer["Content-Length"]) > 10


def test_who_asks_too_often_waits_and_others_do_not(team: SimpleNamespace, get: Any):
    for _ in range(int(rates.BURST)):
        rates.buckets.take(f"token:{team.alice.tokens.get().pk}", 1e9)
    answers = [get("/organisations").status_code for _ in range(2)]
    assert answers == [200, 200] or 429 in answers
    bucket = Buckets(rate=2, burst=3, most=2)
    assert [bucket.take("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take("b", 0.0)
    assert [bucket.take("a", 0.5), bucket.take("a", 0.5)] == [True, False]
    bucket.take("c", 0.5)
    assert bucket.take("b", 0.5)


def test_the_refusal_for_asking_too_often_says_when_to_come_back(get: Any):
    # As if it had been emptied in an hour: however long a request takes here, it is empty now.
    rates.buckets.take("anonymous@127.0.0.1", time.monotonic() + 3600)
    refused = get("/organisations", "")
    assert refused.status_code == 429
    assert refused["Retry-After"] == "1"
    assert refused.json()["code"] == "too_many"


def test_every_answer_has_an_example_that_fits_it():
    from croody.serve.urls.web import api

    schema = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    shapes = schema["components"]["schemas"]
    lacking = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json")
                name = content["schema"].get("$ref", "").rpartition("/")[2] if content else ""
                if content and "example" not in shapes.get(name, {}):
                    lacking.append((method, path, status, name))
    assert lacking == []


def test_every_example_is_what_its_shape_takes():
    from ninja import Schema

    from croody.api import errors, schemas

    for module in (schemas, errors):
        for shape in vars(module).values():
            if isinstance(shape, type) and issubclass(shape, Schema) and shape is not Schema:
                said = (shape.model_config.get("json_schema_extra") or {}).get("example")
                if said is not None:
                    shape.model_validate(said, strict=False)
                    assert set(said) <= set(shape.model_fields), shape
