"""The pages about the APIs: in both languages, with the schema, the key, and examples that run."""

import dataclasses
import html
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from croody.settings import _API_MIDDLEWARE

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PAGES = [("telemetry", "/api/telemetry/docs"), ("ids", "/api/ids/docs"), ("web", "/api/v1/docs")]
Serve = Callable[[str], Client]


@pytest.fixture
def serve(settings: Any) -> Serve:
    """The role's own addresses and middleware, in the demo."""

    def as_role(role: str) -> Client:
        settings.ROOT_URLCONF, settings.MIDDLEWARE = f"croody.serve.urls.{role}", _API_MIDDLEWARE
        settings.ENV = dataclasses.replace(
            settings.ENV, role=role, demo=True, ingest_token="", ids_token="", bridge_token="b" * 40, public_url="https://here"
        )
        return Client()

    return as_role


@pytest.fixture
def robot() -> str:
    """`robot-clases` with a reading, an alarm and a dead letter, which the examples ask for."""
    from django.contrib.auth.models import User

    from croody.accounts.models import Organisation
    from croody.alarms.models import Suppression
    from croody.alarms.services import raise_alarm
    from croody.detection.models import Incident
    from croody.fleet import services
    from croody.fleet.models import Site
    from croody.telemetry.ingest import services as ingest
    from croody.telemetry.models import DeadLetter
    from croody_contract.batch import payload_hash
    from croody_contract.messages import Born, Reading, Telemetry, encode
    from croody_contract.relay import BatchItem, Relay

    demo = Organisation.objects.create(name="Croody demo", slug="croody")
    site = Site.objects.create(pk=1, organisation=demo, name="Bodega", slug="bodega")
    services.add_robot("robot-clases", organisation=demo, site=site, shared=True)
    ingest.ingest_one(Telemetry(data={"TEMP": 1}), "robot-clases", "http", now=NOW)
    said = (Born(agent="croody-edge 1", capabilities=["rotate"], ts=NOW), Reading(data={"TEMP": 1.0}, ts=NOW))
    records = [msgspec.Raw(encode(one)) for one in said]
    ingest.ingest_relay(Relay(batches=[BatchItem("robot-clases", "stream-of-its-agent", 1, records)]), now=NOW)
    body = b'{"data":{"a":1}}'
    letter = DeadLetter(robot_id="robot-clases", reason="unknown_robot", detail="", body=body, hash=payload_hash(body), received_at=NOW)
    letter.pk = 1
    letter.save()
    until = timezone.now() + timedelta(days=1)
    held = {"scope": "robot", "robot_id": "robot-clases", "kind": "gap", "created_at": NOW, "expires_at": until}
    Suppression.objects.create(pk=1, organisation=demo, **held)
    demo.memberships.create(user=User.objects.create_user("operator"), role="operator")
    alarm = raise_alarm("robot-clases", "conflict", "", "high", {}, NOW)
    type(alarm).objects.filter(pk=alarm.pk).update(id=1)
    guessed = {"guessing": {"value": 40, "limit": 6, "seconds": 60}}
    who = {"offender_kind": "address", "offender": "203.0.113.9", "worst": "guessing", "severity": "high"}
    Incident(pk=1, **who, first_at=NOW, last_at=NOW, evidence=guessed, robots=["robot-clases"]).save()
    return "robot-clases"


@pytest.fixture
def key(robot: str) -> str:
    """Of who owns the robot, and has another key and a claim for a board, which the examples ask for, too."""
    from django.contrib.auth.models import User

    from croody.accounts import tokens
    from croody.accounts.models import Organisation, Token
    from croody.audit.actor import SYSTEM
    from croody.fleet import services
    from croody.fleet.models import Claim
    from croody_contract.claims import token_sha256

    demo, owner, now = Organisation.objects.get(), User.objects.create_user("owner"), timezone.now()
    demo.memberships.create(user=owner, role="owner")
    board, _ = services.add_robot("amr-01", organisation=demo, site=None, shared=False)
    said = {"sha256": token_sha256("k3J9w2Qd7Xn5Rb8Tz1Lm4Vc6"), "fingerprint": "A" * 43, "authority": "an authority"}
    Claim.objects.create(pk=1, organisation=demo, robot=board, created_at=now, expires_at=now + timedelta(minutes=15), **said)
    options: Any = {"scopes": list(Token.Scope), "days": 365, "now": now, "actor": SYSTEM}
    (other, _), (_, secret) = (tokens.make_personal(owner, name, **options) for name in ("other", "this"))
    Token.objects.filter(pk=other.pk).update(id=1)
    return secret


def in_order(examples: list[str]) -> list[str]:
    """As on the page, but that what takes something away comes last: first the robot, and then what brings it back."""

    def place(example: str) -> int:
        address, takes = example.split("'")[1], "-X DELETE" in example
        if address.endswith("/bring-back"):
            return 3
        return takes + (takes and address.endswith("/robots/robot-clases"))

    return sorted(examples, key=place)


def run(client: Client, command: str, key: str = "") -> tuple[str, int]:
    """What a `curl` line of the page gets, sent as curl would."""
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == ["curl", "-s"]
    address, body, method, headers = urlsplit(words[2]), None, "", {}
    rest = iter(words[3:])
    for option in rest:
        value = next(rest)
        match option:
            case "-H":
                name, _, said = value.partition(": ")
                headers[name] = key if said == "$KEY" else said
            case "-d":
                body = value
            case "-X":
                method = value
    assert (address.scheme, address.netloc) == ("http", "testserver")
    path = f"{address.path}?{address.query}"
    method = method or ("GET" if body is None else "POST")
    kind = headers.get("Content-Type", "text/plain")
    answer = client.generic(method, path, body or "", content_type=kind, headers=headers)
    if answer.streaming:
        # As curl does, to its end.
        b"".join(answer.streaming_content)
    return path, int(answer.status_code)


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_every_example_of_the_page_runs_as_it_stands(serve: Serve, robot: str, key: str, role: str, path: str):
    client = serve(role)
    page = client.get(path).content.decode()
    examples = [html.unescape(found) for found in re.findall(r"<code>(curl .*?)</code>", page, re.DOTALL)]
    operations = client.get(path.replace("docs", "openapi.json")).json()["paths"]
    assert len(examples) == sum(map(len, operations.values()))
    # Telemetry and detection have keys of their own; in the demo they ask for none.
    ran = [run(client, example, key if role == "web" else "") for example in in_order(examples)]
    assert [(path, status) for path, status in ran if status not in (200, 201)] == []


@pytest.mark.parametrize(("role", "path"), PAGES)
@pytest.mark.parametrize(
    ("query", "headers", "language", "said"),
    [
        ("", {}, "es", "Qué se puede pedir"),
        ("", {"Accept-Language": "en"}, "en", "What can be asked"),
        ("?lang=en", {"Accept-Language": "es"}, "en", "What can be asked"),
        ("?lang=xx", {}, "es", "Qué se puede pedir"),
    ],
)
def test_the_page_speaks_its_readers_language(
    serve: Serve, role: str, path: str, query: str, headers: dict[str, str], language: str, said: str
):
    answer = serve(role).get(path + query, headers=headers)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in text
    assert said in text
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in answer.headers["Vary"].split(",")}


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_the_language_that_was_chosen_on_the_page_is_remembered(serve: Serve, role: str, path: str):
    client = serve(role)
    client.get(f"{path}?lang=en")
    assert client.get(path).headers["Content-Language"] == "en"


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_the_page_has_our_look_and_asks_nothing_of_a_script_or_another_site(serve: Serve, role: str, path: str):
    client = serve(role)
    answer = client.get(path, headers={"X-Real-IP": "203.0.113.5"})
    text = answer.content.decode()
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script|<style|\sstyle=|\son[a-z]+=", text) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
    for sheet in re.findall(r'<link rel="stylesheet" href="([^"]+)"', text):
        assert client.get(sheet).headers["Content-Type"].startswith("text/css")
    assert f'href="{path.replace("docs", "openapi.json")}"' in text
    assert 'href="/es/cuenta/perfil/"' in text


def test_without_a_gateway_links_lead_to_where_the_pages_are(serve: Serve, settings: Any):
    client = serve("telemetry")
    settings.ENV = dataclasses.replace(settings.ENV, public_url="http://127.0.0.1:8000")
    assert 'href="http://127.0.0.1:8000/en/cuenta/perfil/"' in client.get("/api/telemetry/docs?lang=en").content.decode()


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_the_description_says_which_operations_take_a_key(serve: Serve, role: str, path: str):
    described = serve(role).get(path.replace("docs", "openapi.json")).json()
    keyless = {name for name, methods in described["paths"].items() for item in methods.values() if not item.get("security")}
    # Boards have no key yet.
    boards = {"/api/v1/enrol", "/api/v1/enrol/authority/{fingerprint}"}
    assert keyless == (({path.replace("docs", "healthz")} | boards) & set(described["paths"]))
    schemes = {(scheme.get("in"), scheme.get("name")) for scheme in described["components"]["securitySchemes"].values()}
    assert schemes == {("header", "X-API-Key")} | ({(None, None), ("cookie", "sessionid")} if role == "web" else set())


def test_fields_are_told_as_deep_as_they_go(serve: Serve):
    text = serve("telemetry").get("/api/telemetry/docs").content.decode()
    for name in ("position.lat", "robots[].last.position.lat", "robots[].trail[].ts"):
        assert f"<code>{name}</code>" in text


def test_the_earlier_address_of_the_reference_leads_to_it(serve: Serve):
    assert serve("telemetry").get("/api/telemetry/redoc").headers["Location"] == "/api/telemetry/docs"


def test_an_address_that_says_its_language_is_read_in_it_and_leads_to_the_other_one(settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    asked = {"/en/api/v1/docs": "es", "/es/api/v1/docs": "en", "/api/v1/docs": "en"}
    said = {path: Client(headers={"Accept-Language": code}).get(path).content.decode() for path, code in asked.items()}
    assert {path: re.findall('<html lang="(..)">', text) for path, text in said.items()} == {
        "/en/api/v1/docs": ["en"],
        "/es/api/v1/docs": ["es"],
        "/api/v1/docs": ["en"],
    }
    assert 'href="/es/api/v1/docs"' in said["/en/api/v1/docs"]
    assert 'href="/en/api/v1/docs"' in said["/es/api/v1/docs"]
    assert 'href="/es/api/v1/docs"' in said["/api/v1/docs"]
    assert 'href="/en/api/v1/docs"' in Client().get("/en/integrar/").content.decode()


def test_operations_have_one_address_for_readers_of_either_language(settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    said = {code: Client().get("/api/v1/openapi.json", headers={"Accept-Language": code}).json()["paths"] for code in ("es", "en")}
    assert list(said["en"]) == list(said["es"])
    assert "/api/v1/robots" in said["en"]
    assert 'id="get-api-v1-robots"' in Client().get("/api/v1/docs", headers={"Accept-Language": "en"}).content.decode()
