"""The HTTP contract, as robots, scripts and dashboards speak it."""

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.db import connections
from django.test import Client

from croody_contract import relay
from croody_contract.messages import Ack
from tests.cloud.telemetry.helpers import NOON, batch, count_up, reading, stored

BASE = "/api/telemetry"
TOKEN = "shared-ingest-token"


@pytest.fixture
def api(telemetry: str, fleet: SimpleNamespace, settings: Any) -> Client:
    """The role `telemetry`, in production with the shared token."""
    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    settings.MIDDLEWARE = ["croody.web.cors.CorsMiddleware", "django.middleware.security.SecurityMiddleware"]
    settings.ENV = dataclasses.replace(settings.ENV, ingest_token=TOKEN, bridge_token="b" * 40, allowed_origins=("https://dash.example",))
    return Client(raise_request_exception=True)


@pytest.fixture
def post(api: Client) -> Callable[..., Any]:
    def run(body: Any, path: str = "/ingest", key: str | None = TOKEN, **more: Any) -> Any:
        headers = {**({"X-API-Key": key} if key is not None else {}), **more.pop("headers", {})}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return api.post(BASE + path, data=data, content_type=more.pop("content_type", "application/json"), headers=headers, **more)

    return run


@pytest.fixture
def get(api: Client) -> Callable[..., Any]:
    def run(path: str, key: str | None = TOKEN, **query: Any) -> Any:
        return api.get(BASE + path, query, headers={"X-API-Key": key} if key is not None else {})

    return run


@pytest.mark.parametrize("path", ["/healthz", "/api/telemetry/healthz"])
def test_health_is_told_to_anybody(api: Client, path: str):
    response = api.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_robot_over_its_share_is_told_so_by_a_status_of_its_own_and_no_other_robot_is(post: Callable[..., Any], settings: Any):
    from croody.telemetry.models import DeadLetter, Record

    few = dataclasses.replace(settings.ENV.quotas, work=10)
    settings.ENV = dataclasses.replace(settings.ENV, quotas=few)
    answers = [post({"robot_id": "rover-1", "data": {"a": number}}) for number in range(20)]

    taken = [each for each in answers if each.status_code == 201]
    held = [each for each in answers if each.status_code == 429]
    assert 1 <= len(taken) < 10
    assert len(taken) + len(held) == 20
    assert Record.objects.filter(robot_id="rover-1").count() == len(taken)
    assert {each.headers["Retry-After"] for each in held} == {"1"}
    assert all("nothing was stored: send the same again" in each.json()["detail"] for each in held)
    assert post({"robot_id": "rover-2", "data": {"a": 1}}).status_code == 201
    # One letter, and so one alarm, however often it was told.
    assert [(letter.robot_id, letter.reason, letter.count) for letter in DeadLetter.objects.all()] == [("rover-1", "quota", 1)]


def test_what_came_by_http_and_what_came_by_mqtt_are_one_share(post: Callable[..., Any], settings: Any):
    from croody.telemetry.ingest.services import ingest_relay

    few = dataclasses.replace(settings.ENV.quotas, work=10)
    settings.ENV = dataclasses.replace(settings.ENV, quotas=few)
    assert ingest_relay(batch("rover-1", "stream-a", 1, [reading()] * 200), now=NOON).over == []

    assert post({"robot_id": "rover-1", "data": {"a": 1}}).status_code == 429


def test_a_reading_comes_back_as_the_stored_row(post: Callable[..., Any]):
    response = post(
        {
            "robot_id": "rover-1",
            "ts": "2026-11-24T07:00:00-05:00",
            "data": {"TEMP": 20.5, "COUNT": 3, "MODE": "auto", "ON": True},
            "position": {"lat": 4.6, "lng": -74.1},
            "environment": "bodega",
            "status": "moving",
        }
    )
    assert response.status_code == 201
    row = response.json()
    assert isinstance(row.pop("id"), int)
    assert row == {
        "ts": "2026-11-24T12:00:00+00:00",
        "data": {"TEMP": 20.5, "COUNT": 3, "MODE": "auto", "ON": True},
        "robot_id": "rover-1",
        "position": {"lat": 4.6, "lng": -74.1, "alt": None},
        "environment": "bodega",
        "status": "moving",
    }


def test_without_a_time_it_is_the_servers(post: Callable[..., Any]):
    row = post({"robot_id": "rover-1", "data": {}}).json()
    at = datetime.fromisoformat(row["ts"])
    assert at.tzinfo is not None
    assert abs((datetime.now(at.tzinfo) - at).total_seconds()) < 30
    assert (row["position"], row["environment"], row["status"]) == (None, None, None)


@pytest.mark.parametrize(
    ("data", "position"),
    [
        ({"LAT": 4.5, "LON": -74, "ALT": 2600}, {"lat": 4.5, "lng": -74.0, "alt": 2600.0}),
        ({"lat": 4.5, "lon": -74.5}, {"lat": 4.5, "lng": -74.5, "alt": None}),
        ({"lat": 4.5, "lng": -74.5, "alt": 1}, {"lat": 4.5, "lng": -74.5, "alt": 1.0}),
        ({"lat": 4.5}, None),
        ({"lat": True, "lng": 3}, None),
        ({"lat": "4.5", "lng": "3"}, None),
    ],
)
def test_coordinates_among_the_data_are_the_position(post: Callable[..., Any], data: dict[str, Any], position: Any):
    assert post({"robot_id": "rover-1", "data": data}).json()["position"] == position


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"robot_id": "rover-1"}, "data"),
        ({"data": {}}, "robot_id"),
        ({"robot_id": "ab", "data": {}}, "robot_id"),
        ({"robot_id": "r" * 65, "data": {}}, "robot_id"),
        ({"robot_id": "a\nb", "data": {}}, "robot_id"),
        ({"robot_id": "a\u0000bc", "data": {}}, "robot_id"),
        ({"robot_id": 5, "data": {}}, "robot_id"),
        ({"robot_id": "rover-1", "data": {}, "ts": "2026-11-24T07:00:00"}, "ts"),
        ({"robot_id": "rover-1", "data": {}, "ts": 5}, "ts"),
        ({"robot_id": "rover-1", "data": {}, "ts": "0001-01-01T00:00:00+14:00"}, "ts"),
        ({"robot_id": "rover-1", "data": {"x": None}}, "data.x"),
        ({"robot_id": "rover-1", "data": {"x": [1]}}, "data.x"),
        ({"robot_id": "rover-1", "data": {"x": 10**30}}, "data.x"),
        ({"robot_id": "rover-1", "data": {"x": "\u0000"}}, "data.x"),
        ({"robot_id": "rover-1", "data": {"LAT": 91, "LON": 0}}, "data.LAT"),
        ({"robot_id": "rover-1", "data": {"LAT": 1, "LON": 180.5}}, "data.LON"),
        ({"robot_id": "rover-1", "data": {}, "position": {"lat": False, "lng": 1}}, "position.lat"),
        ({"robot_id": "rover-1", "data": {}, "position": {"lat": "4", "lng": 1}}, "position.lat"),
        ({"robot_id": "rover-1", "data": {}, "position": {"lat": 91, "lng": 1}}, "position.lat"),
        ({"robot_id": "rover-1", "data": {}, "position": {"lat": 1}}, "position.lng"),
        ({"robot_id": "rover-1", "data": {}, "status": 5}, "status"),
        ({"robot_id": "rover-1", "data": {}, "environment": "e" * 65}, "environment"),
        (b'{"robot_id":"rover-1","data":{"x":NaN}}', "data.x: NaN"),
        (b'{"robot_id":"rover-1","data":{"x":Infinity}}', "data.x: Infinity"),
        (b'{"robot_id":"rover-1","data":{"x":1e400}}', "data.x: 1e400 breaks the rule"),
        (b'{"robot_id":"rover-1","data":{"x":"\xff"}}', "body"),
        (b'{"robot_id":"rover-1","data":{"x":"\\ud800"}}', "data.x: holds"),
        (b"[" * 100_000, "body: nested deeper than 32"),
        (b'{"robot_id":"rover-1","data":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "body: nested deeper than 32"),
        (b'{"robot_id":"rover-1","data":{"x":1},"nobody reads it":' + b"[" * 33 + b"]" * 33 + b"}", "body: nested deeper than 32"),
        (b"", "body: is empty"),
        (b"null", "body: null breaks the rule: expected `object`"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_and_the_field_is_named(post: Callable[..., Any], body: Any, field: str):
    response = post(body)
    assert response.status_code == 422
    assert response.json()["detail"].startswith(field)
    assert stored("rover-1", "http") == []


def test_a_body_above_one_mebibyte_is_refused_by_its_size(post: Callable[..., Any]):
    response = post(b'{"robot_id":"rover-1","data":{"x":"' + b"x" * 1024 * 1024 + b'"}}')
    assert response.status_code == 413
    assert "1048576" in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", ""])
def test_old_clients_send_json_as_anything(post: Callable[..., Any], content_type: str):
    assert post({"robot_id": "rover-1", "data": {"x": 1}}, content_type=content_type).status_code == 201


def test_legacy_robots_keep_their_names_and_are_registered_when_they_first_speak(post: Callable[..., Any], get: Callable[..., Any]):
    from croody.fleet.models import Robot

    assert post({"robot_id": "Robot nº 1 (aula)", "data": {"TEMP": 1}}).status_code == 201
    robot = Robot.objects.get(pk="Robot nº 1 (aula)")
    assert (robot.organisation.slug, robot.shared) == ("alices", False)
    assert get("/last", robot_id="Robot nº 1 (aula)").json()["data"] == {"TEMP": 1}
    assert get("/last", key=None, robot_id="Robot nº 1 (aula)").status_code == 404
    assert post({"robot_id": "bridge", "data": {}}).status_code == 403


def test_last_is_404_when_there_is_none(get: Callable[..., Any], post: Callable[..., Any]):
    for robot_id in ("rover-1", "nobody", "", "x\u0000y"):
        response = get("/last", robot_id=robot_id)
        assert response.status_code in (404, 422)
        assert isinstance(response.json()["detail"], str)
    assert get("/last").status_code == 404
    post({"robot_id": "rover-1", "data": {"TEMP": 1}})
    assert get("/last", robot_id="rover-1").json()["data"] == {"TEMP": 1}


def test_last_without_a_robot_is_the_newest_of_all_that_the_caller_sees(get: Callable[..., Any], post: Callable[..., Any]):
    post({"robot_id": "rover-2", "data": {"TEMP": 2}})
    post({"robot_id": "rover-1", "data": {"TEMP": 1}, "ts": "2020-01-01T00:00:00Z"})
    assert get("/last").json()["data"] == {"TEMP": 1}, "by its receipt, whatever its robot's clock says"
    assert get("/last", key=None).json()["data"] == {"TEMP": 2}, "the public sees what is shared"


def test_query_gives_the_newest_first(get: Callable[..., Any], post: Callable[..., Any]):
    for value in range(5):
        post({"robot_id": "rover-1", "data": {"TEMP": value}})
        post({"robot_id": "rover-2", "data": {"TEMP": 10 + value}})
    rows = get("/query", limit=3, robot_id="rover-1").json()
    assert [row["data"]["TEMP"] for row in rows] == [4, 3, 2]
    assert [row["data"]["TEMP"] for row in get("/query", limit=4).json()] == [14, 4, 13, 3]
    assert len(get("/query").json()) == 10
    for limit in (0, 1001, "x"):
        assert get("/query", limit=limit).status_code == 422
    assert get("/query", robot_id="nobody").status_code == 404


def test_live_has_every_robot_whatever_the_others_send(get: Callable[..., Any], post: Callable[..., Any]):
    post({"robot_id": "rover-2", "data": {"TEMP": 7}})
    for value in range(30):
        post({"robot_id": "rover-1", "data": {"TEMP": value}})
    answer = get("/live", limit_per_robot=3).json()
    assert set(answer) == {"robots", "total_points", "updated_at"}
    by_id = {robot["robot_id"]: robot for robot in answer["robots"]}
    assert list(by_id) == ["rover-1", "rover-2"]
    assert [row["data"]["TEMP"] for row in by_id["rover-1"]["trail"]] == [27, 28, 29]
    assert by_id["rover-1"]["last"] == by_id["rover-1"]["trail"][-1]
    assert by_id["rover-2"]["last"]["data"] == {"TEMP": 7}
    assert answer["total_points"] == 4
    assert get("/live", limit_per_robot=101).status_code == 422
    assert [len(robot["trail"]) for robot in get("/live", limit_per_robot=1).json()["robots"]] == [1, 1]


def test_streams_tell_what_is_stored_missing_dropped_and_dead(get: Callable[..., Any], fleet: SimpleNamespace):
    from croody.telemetry.ingest import services

    services.ingest_relay(batch("rover-1", "stream-a", 3, [*count_up(1, 3), b"[]"]), now=NOON)
    services.ingest_relay(batch("rover-1", "stream-a", 3, [reading(99)]), now=NOON)
    assert get("/streams", robot_id="rover-1").json() == [
        {
            "robot_id": "rover-1",
            "stream": "stream-a",
            "first_seq": 1,
            "last_seq": 6,
            "stored": 3,
            "missing": [[1, 2]],
            "dropped": [],
            "dead_letters": 2,
        }
    ]
    assert get("/streams").json() == get("/streams", robot_id="rover-1").json()


def test_a_chart_is_aligned(get: Callable[..., Any], fleet: SimpleNamespace):
    from croody.telemetry.ingest import services

    services.ingest_relay(batch("rover-2", "stream-a", 1, count_up(1, 10)), now=NOON)
    wanted = {"robot_id": "rover-2", "metric": "TEMP", "start": "2026-11-24T11:59:50Z", "end": "2026-11-24T12:00:00Z", "buckets": 5}
    chart = get("/chart", key=None, **wanted).json()
    assert chart["step_s"] == 2
    assert len(chart["at"]) == len(chart["mean"]) == len(chart["low"]) == len(chart["high"]) == 5
    for wrong in ({"start": "2026-11-25T00:00:00Z"}, {"start": "2026-11-24T11:59:50"}, {"metric": ""}, {"robot_id": "carlos-1"}):
        assert get("/chart", key=None, **{**wanted, **wrong}).status_code in (404, 422)
    for extreme in ({"start": "0001-01-01T00:00:00+14:00"}, {"end": "9999-12-31T23:59:59-14:00"}, {"start": "0001-01-01T00:00:00Z"}):
        assert get("/chart", key=None, **{**wanted, **extreme}).status_code in (200, 422)


def test_documentation_is_served_from_here(api: Client, settings: Any):
    page = api.get(f"{BASE}/docs")
    assert page.status_code == 200
    text = page.content
    for own in (b"http://www.w3.org", b"http://testserver", settings.ENV.public_url.encode()):
        text = text.replace(own, b"")
    assert b"http://" not in text
    assert b"https://" not in text
    schema = api.get(f"{BASE}/openapi.json").json()
    assert {f"{BASE}/{name}" for name in ("ingest", "last", "query", "live", "streams", "alarms", "dead-letters")} <= set(schema["paths"])
    assert not any("bridge" in path or "demo" in path for path in schema["paths"])


def test_what_is_not_there_is_json_too(api: Client):
    response = api.get(f"{BASE}/nothing")
    assert (response.status_code, set(response.json())) == (404, {"detail"})


def test_only_allowed_origins_may_read_from_a_page(api: Client):
    allowed = api.get("/healthz", headers={"Origin": "https://dash.example"})
    assert allowed["Access-Control-Allow-Origin"] == "https://dash.example"
    assert "Origin" in allowed["Vary"]
    assert "Access-Control-Allow-Origin" not in api.get("/healthz", headers={"Origin": "https://evil.example"})
    preflight = api.options(
        f"{BASE}/ingest",
        headers={"Origin": "https://dash.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"},
    )
    assert preflight.status_code == 204
    assert "X-API-Key" in preflight["Access-Control-Allow-Headers"]
    refused = api.get(f"{BASE}/last", {"robot_id": "nobody"}, headers={"Origin": "https://dash.example"})
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (404, "https://dash.example"), "errors can be read as well"


def test_the_bridge_relays_and_is_told_exactly_what_is_accounted_for(post: Callable[..., Any]):
    body = msgspec.json.encode(batch("rover-1", "stream-a", 1, [reading(1), b"[]"]))
    response = post(body, "/bridge/relay", key="b" * 40)
    assert response.status_code == 200
    assert relay.decode_relayed(response.content).acks == [relay.RobotAck("rover-1", Ack("stream-a", [(1, 1)], [(2, 2)]))]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"batches":5}',
        b"\xff",
        b"[" * 100_000,
        b'{"batches":[{"robot_id":"a"}]}',
        b'{"dead":[{"body":"?"}]}',
        b'{"batches":NaN}',
    ],
)
def test_what_is_no_relay_is_refused_and_nothing_is_done(post: Callable[..., Any], body: bytes):
    response = post(body, "/bridge/relay", key="b" * 40)
    assert response.status_code == 422
    assert isinstance(response.json()["detail"], str)


def test_the_largest_publish_fits_through_the_relay(post: Callable[..., Any]):
    from croody_contract import messages

    big = [messages.Reading(data={f"metric_{index}": "x" * 1000 for index in range(8)}) for _ in range(480)]
    body = msgspec.json.encode(batch("rover-1", "stream-a", 1, list(big)))
    assert 3.5 * 1024 * 1024 < len(body) < 4.2 * 1024 * 1024
    assert post(body, "/bridge/relay", key="b" * 40).status_code == 200
    assert post(b" " * (8 * 1024 * 1024 + 1), "/bridge/relay", key="b" * 40).status_code == 413


def test_the_bridge_fetches_what_is_due(post: Callable[..., Any], fleet: SimpleNamespace):
    from datetime import UTC, timedelta

    from croody.commands import services as commands

    now = datetime.now(UTC)
    row = commands.send("rover-1", "resend", {"stream": "stream-a", "ranges": [[1, 2]]}, now + timedelta(minutes=5), now=now)
    due = relay.decode_due(post(b"", "/bridge/outgoing", key="b" * 40).content)
    assert [(item.robot_id, item.outgoing.id, item.outgoing.payload) for item in due.rows] == [("rover-1", row.pk, row.payload)]
    assert relay.decode_due(post(b"", "/bridge/outgoing", key="b" * 40).content).rows == []


def test_a_database_that_does_not_answer_is_503_and_nothing_was_done(post: Callable[..., Any], telemetry: str, vendor: str):
    post({"robot_id": "rover-1", "data": {}})
    with connections[telemetry].cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on" if vendor == "postgres" else "PRAGMA query_only = on")
    # The test client would close the connection, and with it the setting.
    connections[telemetry].settings_dict["CONN_MAX_AGE"] = None
    try:
        response = post({"robot_id": "rover-1", "data": {}})
        relayed = post(msgspec.json.encode(batch("rover-1", "stream-a", 1, [reading(1)])), "/bridge/relay", key="b" * 40)
    finally:
        with connections[telemetry].cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off" if vendor == "postgres" else "PRAGMA query_only = off")
    assert (response.status_code, relayed.status_code) == (503, 503)
    assert response["Retry-After"] == "1"
    assert stored("rover-1", "http") == [1]
    assert stored() == []


def test_dead_letters_can_be_looked_at_and_played_again(post: Callable[..., Any], get: Callable[..., Any], fleet: SimpleNamespace):
    from croody.fleet import services as fleet_services
    from croody.telemetry.ingest import services

    services.ingest_relay(batch("rover-9", "stream-a", 1, [reading(1), reading(2)]), now=NOON)
    services.ingest_relay(batch("rover-1", "stream-a", 1, [b'{"kind":"reading","data":{"x":null}}']), now=NOON)
    fleet_services.add_robot("rover-9", organisation=fleet.alices)
    letters = get("/dead-letters").json()
    assert [(one["robot_id"], one["reason"]) for one in letters] == [("rover-1", "bad_value"), ("rover-9", "unknown_robot")]
    assert [one["id"] for one in get("/dead-letters", before=letters[0]["id"]).json()] == [letters[1]["id"]]
    assert [one["id"] for one in get("/dead-letters", reason="bad_value", robot_id="rover-1", limit=1).json()] == [letters[0]["id"]]
    full = get(f"/dead-letters/{letters[0]['id']}").json()
    assert full["text"] == '{"kind":"reading","data":{"x":null}}'
    assert full["size"] == len(full["text"])
    replay = f"/dead-letters/{letters[1]['id']}/replay"
    assert post(b"", replay).json() == {"stored": 2, "dead": 0}
    assert post(b"", replay).status_code == 409
    assert post(b"", f"/dead-letters/{letters[0]['id']}/replay").json() == {"stored": 0, "dead": 1}
    assert get("/dead-letters/99999999").status_code == 404
    assert get(f"/dead-letters/{10**30}").status_code == 404
