"""A robot may have any 3 to 64 characters for its id that can be shown; each address of the API leads to it, and to no other."""

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from croody.telemetry.ingest import services as ingest
from croody_contract.messages import Telemetry

pytestmark = pytest.mark.django_db(databases="__all__")
ODD = (
    "line/3",
    "/line",
    "line/",
    "a//b",
    "line 3",
    "línea/ñandú 🤖",
    "100%/day",
    "line%2F3",
    "line%252F3",
    "...",
    "../x",
    "a/../b",
    "a?b=c#d",
    "a;b&c+d",
    "rover-1/values",
    "rover-1/secret/rotation",
    "<b>'\"",
)  # fmt: skip


@pytest.fixture
def odd(team: SimpleNamespace) -> SimpleNamespace:
    from croody.fleet.models import Robot

    now = timezone.now()
    for number, robot_id in enumerate(ODD):
        Robot.objects.create(pk=robot_id, organisation=team.ours)
        ingest.ingest_one(Telemetry(data={"number": number}), robot_id, "http", now=now)
    return team


@pytest.fixture
def ask(odd: SimpleNamespace, client: Any) -> Any:
    """As a server does: it writes out what stands escaped, and says what it was sent."""

    def send(method: str, path: str, who: str = "alice", **body: Any) -> Any:
        sent = f"/api/v1{path}"
        said = json.dumps(body) if body else ""
        return client.generic(method, sent, said, "application/json", headers={"X-API-Key": odd.keys[who]}, RAW_URI=f"{sent}?x=%2F")

    return send


def test_each_robot_is_at_its_own_address(ask: Any):
    for number, robot_id in enumerate(ODD):
        part = quote(robot_id, safe="")
        assert ask("GET", f"/robots/{part}").json()["robot_id"] == robot_id
        assert ask("GET", f"/robots/{part}/values").json()["values"] == {"number": number}
        assert ask("GET", f"/robots/{part}/delivery").json()["robot_id"] == robot_id
        assert ask("GET", f"/robots/{part}", "carlos").status_code == 404
    assert ask("GET", "/robots/rover-1/values").json()["detail"] == "robot_id: rover-1 has sent no reading yet"


def test_a_slash_that_is_not_escaped_parts_an_address_and_names_no_robot(ask: Any):
    assert ask("GET", "/robots/line/3").json()["detail"] == "there is nothing at /api/v1/robots/line/3: see /api/v1/docs"
    assert ask("GET", "/robots/rover-1%2Fvalues").json()["robot_id"] == "rover-1/values"


def test_every_address_with_a_robot_in_it_takes_any_id(ask: Any, client: Any):
    described = client.get("/api/v1/openapi.json").json()["paths"]
    operations = [(method.upper(), path) for path, methods in described.items() if "{robot_id}" in path for method in methods]
    assert len(operations) >= 15
    for robot_id in ("line/3", "a/../b", "100%/day"):
        for method, path in operations:
            address = path.removeprefix("/api/v1").replace("{robot_id}", quote(robot_id, safe=""))
            answer = ask(method, address, "carlos", **({"minutes": 5} if method != "GET" else {}))
            body = answer.json()
            # Carlos may not know of it: whoever is told so, or of what the body lacks, was understood to ask for this very robot.
            assert answer.status_code in {404, 422}, (method, path, body)
            assert "there is nothing at" not in body["detail"], (method, path, body)
            if answer.status_code == 404:
                assert robot_id in body["detail"], (method, path, body)
