"""Who may call the IDS API, and whose robots a caller hears of."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.accounts.services import reset_token
from croody.detection.models import Verdict

pytestmark = pytest.mark.django_db(databases="__all__")
TOKEN = "a-service-token-of-forty-characters-long"
BODY = '{"rows": [{"src_bytes": 10}]}'
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def predict(client: Client, **headers: str) -> int:
    status: int = client.post("/api/ids/predict", BODY, content_type="application/json", **headers).status_code
    return status


@pytest.fixture
def verdicts(people: SimpleNamespace) -> None:
    for robot_id in ("rover-1", "shared-1"):
        Verdict.objects.create(
            robot_id=robot_id, stream="stream-0001", seq=2, at=NOW, judged_at=NOW, edge_model="m", edge_score=0.9, suspect=True
        )


def robots_seen(client: Client, **headers: str) -> list[str]:
    response = client.get("/api/ids/verdicts", **headers)
    assert response.status_code == 200, response.content
    return sorted(verdict["robot_id"] for verdict in response.json()["verdicts"])


def test_with_a_token_set_only_it_and_personal_tokens_open(make_client: Callable[..., Client], people: SimpleNamespace):
    client = make_client(token=TOKEN)
    personal = reset_token(people.carlos)
    assert predict(client) == 401
    assert predict(client, HTTP_X_API_KEY=TOKEN[:-1]) == 401
    assert predict(client, HTTP_X_API_KEY="crd_" + "x" * 43) == 401
    assert predict(client, HTTP_X_API_KEY=TOKEN) == 200
    assert predict(client, HTTP_X_API_KEY=personal) == 200


def test_a_token_that_is_set_is_needed_in_the_demo_too(make_client: Callable[..., Client]):
    assert predict(make_client(token=TOKEN, demo=True)) == 401


def test_without_a_token_in_production_only_personal_ones_open(make_client: Callable[..., Client], people: SimpleNamespace):
    client = make_client()
    assert predict(client) == 401
    assert predict(client, HTTP_X_API_KEY="") == 401
    assert predict(client, HTTP_X_API_KEY=reset_token(people.alice)) == 200


def test_a_personal_token_that_was_reset_is_refused(make_client: Callable[..., Client], people: SimpleNamespace):
    old = reset_token(people.alice)
    reset_token(people.alice)
    assert predict(make_client(), HTTP_X_API_KEY=old) == 401


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.7"}, 401),
        ({"REMOTE_ADDR": ""}, 401),
        ({"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 401),
        ({"HTTP_X_REAL_IP": "203.0.113.9"}, 401),
        ({"HTTP_X_API_KEY": "wrong"}, 401),
        ({"HTTP_ORIGIN": "https://elsewhere.example"}, 401),
        ({"HTTP_ORIGIN": "http://testserver"}, 200),
    ],
)
def test_the_demo_is_open_to_this_machine_alone(make_client: Callable[..., Client], extra: dict[str, str], status: int):
    assert predict(make_client(demo=True), **extra) == status


def test_who_may_not_call_is_told_what_to_send(make_client: Callable[..., Client]):
    client = make_client()
    for response in (
        client.post("/api/ids/predict", BODY, content_type="application/json"),
        client.get("/api/ids/model"),
        client.get("/api/ids/verdicts"),
    ):
        assert response.status_code == 401
        assert response.json()["detail"].startswith("X-API-Key: missing or wrong")


def test_alice_and_bob_see_their_robots_verdicts_and_carlos_none_not_even_of_a_shared_robot(
    make_client: Callable[..., Client], people: SimpleNamespace, verdicts: None
):
    client = make_client(token=TOKEN)
    assert robots_seen(client, HTTP_X_API_KEY=reset_token(people.alice)) == ["rover-1", "shared-1"]
    assert robots_seen(client, HTTP_X_API_KEY=reset_token(people.bob)) == ["rover-1", "shared-1"]
    assert robots_seen(client, HTTP_X_API_KEY=reset_token(people.carlos)) == []
    assert robots_seen(client, HTTP_X_API_KEY=TOKEN) == ["rover-1", "shared-1"]
    assert robots_seen(make_client(demo=True)) == ["rover-1", "shared-1"]


def test_a_robot_that_carlos_may_not_know_of_is_not_there_for_him(
    make_client: Callable[..., Client], people: SimpleNamespace, verdicts: None
):
    client = make_client()
    for user, status in ((people.bob, 200), (people.carlos, 404)):
        response = client.get("/api/ids/verdicts?robot_id=rover-1", HTTP_X_API_KEY=reset_token(user))
        assert response.status_code == status
    never = client.get("/api/ids/verdicts?robot_id=no-such-robot", HTTP_X_API_KEY=reset_token(people.carlos))
    hidden = client.get("/api/ids/verdicts?robot_id=rover-1", HTTP_X_API_KEY=reset_token(people.carlos))
    assert never.json()["detail"].replace("no-such-robot", "") == hidden.json()["detail"].replace("rover-1", "")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "robot_id=a", "robot_id=abc%00def", "robot_id=" + "a" * 65])
def test_a_query_out_of_its_range_is_refused(make_client: Callable[..., Client], query: str):
    response = make_client(demo=True).get(f"/api/ids/verdicts?{query}")
    assert response.status_code == 422
    assert response.json()["detail"].startswith(query.split("=")[0] + ": ")


def test_a_limit_keeps_the_newest(make_client: Callable[..., Client], people: SimpleNamespace, verdicts: None):
    Verdict.objects.create(
        robot_id="shared-1",
        stream="stream-0001",
        seq=3,
        at=NOW.replace(hour=13),
        judged_at=NOW,
        edge_model="m",
        edge_score=0.7,
        suspect=True,
    )
    answer: Any = make_client(demo=True).get("/api/ids/verdicts?robot_id=shared-1&limit=1").json()
    assert [verdict["seq"] for verdict in answer["verdicts"]] == [3]
