"""What programs already speak to Croody, asked of the running system through its gateway over TLS. Each rule has its test where the code
is; here it has to hold with everything that stands before it."""

import http.client
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stack.site import ROBOT, Site

pytestmark = pytest.mark.stack
ROW = {"id", "ts", "data", "robot_id", "position", "environment", "status"}
Looks = Callable[[Any], object]


def says(word: str) -> Looks:
    """A refusal in JSON whose sentence has this word."""
    return lambda json: set(json) == {"detail"} and word in json["detail"]


def is_row(row: Any) -> bool:
    return set(row) == ROW and isinstance(row["id"], int) and datetime.fromisoformat(row["ts"]).tzinfo is not None


def is_live(live: Any) -> bool:
    robots = live["robots"]
    whole = all(set(one) == {"robot_id", "last", "trail"} and is_row(one["last"]) and one["trail"][-1] == one["last"] for one in robots)
    times = [[datetime.fromisoformat(row["ts"]) for row in one["trail"]] for one in robots]
    return (
        set(live) == {"robots", "total_points", "updated_at"}
        and whole
        and {ROBOT, "robot-clases"} <= {one["robot_id"] for one in robots}
        and all(at == sorted(at) for at in times)
        and live["total_points"] == sum(map(len, times))
    )


def is_streams(streams: Any) -> bool:
    wanted = {"robot_id", "stream", "first_seq", "last_seq", "stored", "missing", "dropped", "dead_letters"}
    return streams and all(set(one) == wanted and one["stored"] > 0 and one["missing"] == [] for one in streams)


TELEMETRY: list[tuple[str, str, int, Looks]] = [
    ("GET", "/healthz", 200, lambda json: json == {"status": "ok"}),
    ("GET", "/api/telemetry/healthz", 200, lambda json: json == {"status": "ok"}),
    ("GET", f"/api/telemetry/last?robot_id={ROBOT}", 200, lambda json: is_row(json) and json["data"] == {"TEMP": 2.0}),
    ("GET", "/api/telemetry/last?robot_id=nobody-01", 404, says("nobody-01")),
    ("GET", "/api/telemetry/last", 200, is_row),
    ("GET", f"/api/telemetry/query?robot_id={ROBOT}&limit=2", 200, lambda json: [row["data"]["TEMP"] for row in json] == [2.0, 1.0]),
    ("GET", "/api/telemetry/query?limit=1", 200, lambda json: len(json) == 1 and is_row(json[0])),
    ("GET", "/api/telemetry/query?limit=1000", 200, lambda json: 2 < len(json) <= 1000),
    ("GET", "/api/telemetry/query?limit=0", 422, says("limit")),
    ("GET", "/api/telemetry/query?limit=1001", 422, says("limit")),
    ("GET", "/api/telemetry/query?limit=many", 422, says("limit")),
    ("GET", "/api/telemetry/query?robot_id=nobody-01", 404, says("nobody-01")),
    ("GET", "/api/telemetry/live", 200, is_live),
    ("GET", "/api/telemetry/live?limit_per_robot=1", 200, lambda json: is_live(json) and json["total_points"] == len(json["robots"])),
    ("GET", "/api/telemetry/live?limit_per_robot=100", 200, is_live),
    ("GET", "/api/telemetry/live?limit_per_robot=0", 422, says("limit_per_robot")),
    ("GET", "/api/telemetry/live?limit_per_robot=101", 422, says("limit_per_robot")),
    ("GET", "/api/telemetry/streams?robot_id=robot-clases", 200, is_streams),
    ("GET", "/api/telemetry/streams?robot_id=nobody-01", 404, says("nobody-01")),
    ("GET", "/api/telemetry/stream?robot_id=nobody-01", 404, says("nobody-01")),
    ("GET", "/api/telemetry/openapi.json", 200, lambda json: {"/api/telemetry/ingest", "/api/telemetry/live"} <= set(json["paths"])),
    ("GET", "/api/telemetry/nothing", 404, says("/api/telemetry/docs")),
    ("GET", "/api/telemetry/ingest", 405, says("POST")),
    ("POST", "/api/telemetry/last", 405, says("GET")),
    ("POST", "/api/telemetry/stream", 405, says("GET")),
]


@pytest.mark.parametrize(("method", "path", "status", "looks"), TELEMETRY, ids=[f"{method} {path}" for method, path, *_ in TELEMETRY])
def test_telemetry_answers_as_the_contract_says(site: Site, method: str, path: str, status: int, looks: Looks) -> None:
    answer = site.ask(method, path)

    assert answer.status == status, answer.text[:500]
    assert answer.headers["content-type"].startswith("application/json")
    assert looks(answer.json), answer.text[:2000]


def test_a_whole_reading_comes_back_as_the_row_that_was_stored(site: Site) -> None:
    sent = {
        "robot_id": ROBOT,
        "ts": "2026-11-24T07:00:00-05:00",
        "data": {"TEMP": 20.5, "COUNT": 3, "MODE": "auto", "ON": True},
        "position": {"lat": 4.6, "lng": -74.1, "alt": 2600.0},
        "environment": "bodega",
        "status": "moving",
    }
    row = site.ingest(sent).json

    assert isinstance(row.pop("id"), int)
    assert row == sent | {"ts": "2026-11-24T12:00:00+00:00"}


@pytest.mark.parametrize("names", [("LAT", "LON", "ALT"), ("lat", "lon", "alt"), ("lat", "lng", "alt")])
def test_without_time_and_place_they_are_the_servers_and_those_among_the_data(site: Site, names: tuple[str, str, str]) -> None:
    row = site.ingest({"robot_id": ROBOT, "data": dict(zip(names, (4.5, -74.0, 2600.0), strict=True))}).json

    assert row["position"] == {"lat": 4.5, "lng": -74.0, "alt": 2600.0}
    assert abs((datetime.now(UTC) - datetime.fromisoformat(row["ts"])).total_seconds()) < 30


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"robot_id": "ab", "data": {}}, "robot_id"),
        ({"robot_id": "r" * 65, "data": {}}, "robot_id"),
        ({"robot_id": ROBOT}, "data"),
        ({"robot_id": ROBOT, "data": {}, "ts": "2026-11-24T07:00:00"}, "ts"),
        ({"robot_id": ROBOT, "data": {"TEMP": None}}, "data.TEMP"),
        ({"robot_id": ROBOT, "data": {}, "position": {"lat": False, "lng": 1}}, "position.lat"),
        ({"robot_id": ROBOT, "data": {}, "position": {"lat": 91, "lng": 1}}, "position.lat"),
        ({"robot_id": ROBOT, "data": {}, "status": 5}, "status"),
        (b'{"robot_id": "contrato-01", "data": {"x": NaN}}', "data.x"),
        (b"no json", "body"),
    ],
)
def test_a_reading_that_breaks_a_rule_is_refused_and_its_field_named(site: Site, body: object, field: str) -> None:
    answer = site.ingest(body)

    assert answer.status == 422
    assert answer.json["detail"].startswith(field), answer.json


def test_pages_of_other_sites_may_read_only_when_they_are_allowed_to(site: Site) -> None:
    own, other = f"https://localhost:{site.system.https}", "https://evil.example"
    for path in ("/api/telemetry/live", "/api/telemetry/last?robot_id=nobody-01"):
        assert site.system.get(path, Origin=own).headers["access-control-allow-origin"] == own
        assert "access-control-allow-origin" not in site.system.get(path, Origin=other).headers
    asked = {"Origin": own, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = site.system.request("OPTIONS", "/api/telemetry/ingest", None, **asked)
    assert preflight.status == 204
    assert "x-api-key" in preflight.headers["access-control-allow-headers"].lower()


def test_a_stream_is_resumed_where_it_broke_off(site: Site) -> None:
    def events(path: str, count: int, **headers: str) -> list[tuple[str, Any]]:
        """The first events of a stream, each with its id."""
        connection = http.client.HTTPSConnection("localhost", site.system.https, timeout=20, context=site.system.context())
        connection.request("GET", path, headers={"Accept": "text/event-stream", **headers})
        got = connection.getresponse()
        assert got.status == 200
        found: list[tuple[str, Any]] = []
        event_id = ""
        while len(found) < count:
            line = got.fp.readline().decode()
            assert line, "the stream ended"
            event_id = line[3:].strip() if line.startswith("id:") else event_id
            if line.startswith("data:"):
                found.append((event_id, json.loads(line[5:])))
        connection.close()
        return found

    path = f"/api/telemetry/stream?robot_id={ROBOT}"
    before = site.ingest({"robot_id": ROBOT, "data": {"TEMP": 30.0}}).json["id"]
    for value in (31.0, 32.0, 33.0):
        site.ingest({"robot_id": ROBOT, "data": {"TEMP": value}})

    first, second = events(path, 2, **{"Last-Event-ID": str(before)})
    (third,) = events(path, 1, **{"Last-Event-ID": second[0]})

    assert [event["data"]["TEMP"] for _, event in (first, second, third)] == [31.0, 32.0, 33.0]
    assert set(first[1]) >= ROW


#: A flood of half-open connections, and what is no feature.
FLOOD = {"protocol_type": "tcp", "service": "private", "flag": "S0", "src_bytes": 0, "count": 250, "serror_rate": 1.0, "label": "neptune"}
IDS: list[tuple[str, str, object, int, Looks]] = [
    ("POST", "/api/ids/predict", {"rows": [{"src_bytes": 10}]}, 200, lambda json: json["predictions"] in ([0], [1])),
    ("POST", "/api/ids/predict", {"rows": [FLOOD, FLOOD]}, 200, lambda json: json["predictions"] == [1, 1]),
    ("POST", "/api/ids/predict", {"rows": [FLOOD, FLOOD]}, 200, lambda json: json["ignored"] == {"label": 2}),
    ("POST", "/api/ids/predict", {"rows": [FLOOD]}, 200, lambda json: json["model"]["path"] and json["imputed"]["dst_bytes"] == 1),
    ("POST", "/api/ids/predict", {"rows": [FLOOD]}, 200, lambda json: {"class", "score", "explanation"} <= set(json["results"][0])),
    ("POST", "/api/ids/predict", {}, 422, says("rows")),
    ("POST", "/api/ids/predict", {"rows": []}, 422, says("rows")),
    ("POST", "/api/ids/predict", {"rows": [{"src_bytes": "many"}]}, 422, says("src_bytes")),
    ("POST", "/api/ids/predict", b"no json", 422, says("body")),
    ("GET", "/api/ids/predict", None, 405, says("POST")),
    ("GET", "/api/ids/model", None, 200, lambda json: all(json[name] for name in ("available", "path", "version", "data", "metrics"))),
    ("GET", "/api/ids/openapi.json", None, 200, lambda json: {"/api/ids/predict", "/api/ids/model"} <= set(json["paths"])),
    ("GET", "/api/ids/healthz", None, 200, lambda json: json == {"status": "ok"}),
    ("GET", "/api/ids/nothing", None, 404, says("/api/ids/docs")),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "looks"), IDS)
def test_detection_answers_as_the_contract_says(site: Site, method: str, path: str, body: object, status: int, looks: Looks) -> None:
    answer = site.ask(method, path, body, site.ids_token)

    assert answer.status == status, answer.text[:500]
    assert answer.headers["content-type"].startswith("application/json")
    assert looks(answer.json), answer.text[:2000]


def test_without_its_key_detection_says_nothing(site: Site) -> None:
    for method, path, body in (("POST", "/api/ids/predict", {"rows": [FLOOD]}), ("GET", "/api/ids/model", None)):
        for key in ("", "a-key-of-nobody-a-key-of-nobody-a-key"):
            answer = site.ask(method, path, body, key)
            assert (answer.status, set(answer.json)) == (401, {"detail"})


@pytest.mark.parametrize("path", ["/api/telemetry/docs", "/api/ids/docs"])
def test_an_api_is_described_by_a_page_that_needs_nothing_from_elsewhere(site: Site, path: str) -> None:
    page = site.ask("GET", path)

    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)


def refuses(code: str) -> Looks:
    """A refusal of v1 with this code."""
    return lambda json: json["code"] == code and json["detail"]


V1: list[tuple[str, str, int, Looks]] = [
    ("GET", "/api/v1/robots", 200, lambda json: set(json) == {"items", "next"}),
    ("GET", "/api/v1/openapi.json", 200, lambda json: {"/api/v1/robots", "/api/v1/exports/readings"} <= set(json["paths"])),
    ("GET", "/api/v1/robots?limit=9000", 422, refuses("bad_value")),
    ("GET", "/api/v1/alarms", 401, refuses("no_key")),
    ("GET", "/api/v1/nothing", 404, refuses("not_found")),
    ("DELETE", "/api/v1/robots", 405, refuses("wrong_method")),
]


@pytest.mark.parametrize(("method", "path", "status", "looks"), V1)
def test_v1_answers_through_the_gateway_in_its_own_words(site: Site, method: str, path: str, status: int, looks: Looks) -> None:
    answer = site.ask(method, path)

    assert answer.status == status, answer.text[:500]
    assert answer.headers["content-type"].startswith("application/json")
    assert looks(answer.json), answer.text[:2000]
