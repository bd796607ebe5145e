"""Every time that `/api/v1/` and the telemetry API take, asked with what is none: a 4xx with a sentence, on both databases."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from croody.api import rates

pytestmark = pytest.mark.django_db(databases="__all__")
SPAN = {"start": "2026-11-24T00:00:00Z", "end": "2026-11-25T00:00:00Z"}
#: What no column holds, or nobody means. Times that merely are long ago are no fault, and are asked below.
ODD = (
    "", "0", "-1", "1e400", "-1e400", "NaN", "Infinity", "null", "true", "[]", "yesterday", "0000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "2026-11-24T00:00:00+24:00", "2026-11-24T00:00:00-24:00", "2026-11-24T00:00:00+99:99", "2026-11-24T25:00:00Z",
    "2026-12-31T23:59:61Z", "2026-02-30T00:00:00Z", "2026-11-24T00:00:00", "2026-11-24", "1764000000", "1764000000000",
    "1764000000000000000", "-62135596801", "253402300800", "9" * 400, "2026-11-24T00:00:00\x00Z", "2026-11-24\x0000:00Z",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "2026-11-24T00:00:00Z" + "0" * 10_000, "x" * 10_000,
    "٢٠٢٦-١١-٢٤T00:00:00Z", "2026-11-24T00:00:00.0000000000000000000000001", "2026‐11‐24T00:00:00Z",
)  # fmt: skip
#: Far off, and well written: an answer, empty or not, or a refusal.
FAR = (
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "1900-01-01T00:00:00+23:59",
    "2016-12-31T23:59:60Z",
    "2999-01-01T00:00:00-23:59",
)


@pytest.fixture
def operations(client: Any, team: SimpleNamespace) -> dict[str, Any]:
    rates.buckets.clear()
    return {"api": client.get("/api/v1/openapi.json").json()}


def _resolved(part: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = spec["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    return part


def _is_time(part: dict[str, Any]) -> bool:
    return any(one.get("format") == "date-time" for one in (part, *part.get("anyOf", ()), *part.get("oneOf", ())))


def times(spec: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Method, path, query or body, name: each time that the description has."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            for one in operation.get("parameters", ()):
                if _is_time(_resolved(one["schema"], spec)):
                    yield method, path, one["in"], one["name"]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            for name, part in (_resolved(body, spec).get("properties", {}) if body else {}).items():
                if _is_time(_resolved(part, spec)):
                    yield method, path, "body", name


def test_no_time_of_the_api_breaks_it(operations: dict[str, Any], team: SimpleNamespace, client: Any):
    client.raise_request_exception = False
    headers = {"X-API-Key": team.keys["alice"]}
    found = [one for one in times(operations["api"]) if one[2] in ("query", "body")]
    assert len(found) >= 8, found
    assert {one[2] for one in found} == {"query", "body"}
    for method, path, place, name in found:
        where = path.replace("{robot_id}", "rover-1").replace("{number}", "1").replace("{alarm_id}", "1").replace("{kind}", "readings")
        for value in (*ODD, *FAR):
            rates.buckets.clear()
            others = {**SPAN, "robot_id": "rover-1", "metric": "a"}
            if place == "query":
                answer = getattr(client, method)(f"{where}?{urlencode({**others, name: value})}", headers=headers)
            else:
                answer = getattr(client, method)(
                    where, json.dumps({"reason": "x", name: value}), content_type="application/json", headers=headers
                )
            told = f"{method} {where} {name}={value[:60]!r}: {answer.status_code} {getattr(answer, 'content', b'')[:200]!r}"
            if value in FAR:
                assert answer.status_code < 500, told
                # An export counts among those of its caller until it was read.
                list(getattr(answer, "streaming_content", ()))
            else:
                assert 400 <= answer.status_code < 500, told
                assert len(answer.json()["detail"]) < 600, told
                assert " " in answer.json()["detail"], told


def test_no_time_of_the_telemetry_api_breaks_it(team: SimpleNamespace, client: Any, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    client.raise_request_exception = False
    headers = {"X-API-Key": team.keys["alice"]}
    chart = {**SPAN, "robot_id": "rover-1", "metric": "a"}
    for name in ("start", "end"):
        for value in (*ODD, *FAR):
            answer = client.get(f"/api/telemetry/chart?{urlencode({**chart, name: value})}", headers=headers)
            told = f"{name}={value[:60]!r}: {answer.status_code} {answer.content[:200]!r}"
            assert (answer.status_code < 500) if value in FAR else (answer.status_code == 422 and " " in answer.json()["detail"]), told
    numbers: tuple[Any, ...] = (0, -1, 1764000000, 1764000000000, 1764000000000000000, 10**400, 1.5, True, [], {})
    raw = [*(json.dumps(value) for value in (*ODD, *numbers)), "1e400", "-1e400", "NaN", "Infinity"]
    for value in (*raw, *map(json.dumps, FAR)):
        body = f'{{"robot_id": "rover-1", "ts": {value}, "data": {{"a": 1}}}}'
        answer = client.post("/api/telemetry/ingest", body, content_type="application/json", headers=headers)
        told = f"ts={value[:60]}: {answer.status_code} {answer.content[:200]!r}"
        assert (answer.status_code < 500) if value in map(json.dumps, FAR) else (400 <= answer.status_code < 500), told
        assert answer.status_code == 201 or " " in answer.json()["detail"], told
        assert len(answer.content) < 1_000, told
