"""Who may do what, generated: every operation of both APIs and every address of the web, asked by every kind of caller.

What is expected stands here, by action and caller, for three robots: one of the caller's own team, another team's that is shared,
another team's that is not. An operation or a page without a rule, or without an example here, fails.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from croody.accounts.organisation_rules import Affair
from croody.fleet.access import Action, may, robots
from croody.shop.access import ShopAct

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OWN, SHARED, THEIRS = "rover-1", "show-1", "carlos-1"
ROBOTS = (OWN, SHARED, THEIRS)
ROLES = ("viewer", "operator", "maintainer", "owner")
NEVER = (401, 401, 401)


def _members(viewer: tuple[int, int, int], others: tuple[int, int, int]) -> dict[str, tuple[int, int, int]]:
    return {"viewer": viewer, "operator": others, "maintainer": others, "owner": others, "service:ingest": others}


def _of_act(done: int) -> dict[str, tuple[int, int, int]]:
    members = _members((403, 404, 404), (done, 404, 404))
    return {
        **members,
        "stranger": (404, 404, 404),
        "superuser": (done,) * 3,
        "demo": (done,) * 3,
        "anonymous": NEVER,
        "robot": NEVER,
        "service:bridge": NEVER,
    }


def _of_manage(done: int, roles: tuple[str, ...]) -> dict[str, tuple[int, int, int]]:
    """Operators and the shared token may not; who merely looks on even less."""
    row = _of_act(done)
    return row | {name: (403, 404, 404) for name in (*ROLES, "service:ingest") if name not in roles}


#: Action -> caller -> what comes of it for each of `ROBOTS`, where the operation is about one robot.
EXPECTED: dict[str, dict[str, tuple[int, int, int]]] = {
    Action.SEE: {
        **_members((200, 200, 404), (200, 200, 404)),
        "anonymous": (404, 200, 404),
        "stranger": (404, 200, 404),
        "robot": (200, 200, 404),
        "superuser": (200, 200, 200),
        "demo": (200, 200, 200),
        "service:bridge": (404, 404, 404),
    },
    Action.INSPECT: {
        **_members((200, 404, 404), (200, 404, 404)),
        "anonymous": NEVER,
        "stranger": (404, 404, 404),
        "robot": NEVER,
        "superuser": (200, 200, 200),
        "demo": (200, 200, 200),
        "service:bridge": NEVER,
    },
    Action.WRITE: {
        **_members((403, 403, 404), (201, 403, 404)),
        "anonymous": NEVER,
        "stranger": (404, 403, 404),
        "robot": (201, 403, 403),
        "superuser": (201, 201, 201),
        "demo": (201, 201, 201),
        "service:bridge": NEVER,
    },
    Action.ACT: _of_act(200),
    Action.CONFIGURE: _of_manage(200, ("maintainer", "owner")),
    Action.ADMINISTER: _of_manage(200, ("owner",)),
    Action.ASSESS: {
        **dict.fromkeys(ROLES, (200, 404, 404)),
        "anonymous": NEVER,
        "stranger": (404, 404, 404),
        "robot": NEVER,
        "superuser": (200, 200, 200),
        "demo": (200, 200, 200),
        "service:ids": (200, 404, 404),
        # Keys of the site's other doors are nobody's at this one.
        "service:ingest": NEVER,
        "service:bridge": NEVER,
    },
    # Keys of an organisation's service: its owners'. One's own everybody has whom the site knows by name.
    "keys": {
        **dict.fromkeys(("viewer", "operator", "maintainer"), (403, 404, 404)),
        "owner": (200, 404, 404),
        "stranger": (404, 404, 404),
        "superuser": (200, 200, 200),
        **dict.fromkeys(("anonymous", "demo", "robot", "service:ingest", "service:bridge"), NEVER),
    },
    "bridge": {"service:bridge": (200, 200, 200)},
    "demo": {"demo": (200, 200, 200)},
}


class Ask(SimpleNamespace):
    """One request. `whole`: it is about no single robot, and whoever may ask at all gets an answer.

    `seen`: it names a robot, so whoever sees that one and may not do this is told so with 403. `done`: what is answered for 200.
    """


def ask(path: str, body: Any = None, *, whole: bool = False, seen: bool = False, raw: bytes | None = None, done: int = 200) -> Ask:
    sent = raw if raw is not None else None if body is None else json.dumps(body).encode()
    return Ask(path=path, body=sent, whole=whole, seen=seen, done=done)


def _letter(robot_id: str) -> int:
    from croody.telemetry.models import DeadLetter
    from croody_contract.batch import payload_hash

    body = b'{"data":{"a":1}}'
    DeadLetter.objects.all().delete()
    row = DeadLetter.objects.create(
        robot_id=robot_id, reason="unknown_robot", detail="", body=body, hash=payload_hash(body), received_at=NOW
    )
    return int(row.pk)


def _alarm(robot_id: str) -> int:
    from croody.alarms.models import Alarm
    from croody.alarms.services import raise_alarm

    Alarm.objects.all().delete()
    return int(raise_alarm(robot_id, "conflict", "", "high", {}, NOW).pk)


def _soon() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def _assigned_alarm(robot_id: str) -> int:
    from django.contrib.auth.models import User

    from croody.alarms.models import Alarm

    number = _alarm(robot_id)
    Alarm.objects.filter(pk=number).update(assignee=User.objects.get(username="the-owner"))
    return number


def _closed_alarm(robot_id: str) -> int:
    from croody.alarms.models import Alarm

    number = _alarm(robot_id)
    Alarm.objects.filter(pk=number).update(resolved_at=NOW)
    return number


def _incident(robot_id: str) -> int:
    from croody.detection.models import Concern, Incident
    from croody.fleet.models import Robot

    Incident.objects.all().delete()
    who = {"offender_kind": "account", "offender": robot_id, "worst": "spoofing", "severity": "high"}
    evidence = {"spoofing": {"value": 3, "limit": 1, "seconds": 60}}
    made = Incident.objects.create(**who, first_at=NOW, last_at=NOW, evidence=evidence, robots=[robot_id])
    Concern.objects.create(incident=made, organisation=Robot.objects.get(pk=robot_id).organisation)
    return int(made.pk)


def _site_name(robot_id: str) -> str:
    from croody.fleet.models import Site

    return Site.objects.get(pk=_site(robot_id)).slug


def _exception(robot_id: str) -> int:
    from croody.alarms.models import Suppression
    from croody.fleet.models import Robot

    until, team = datetime.now(UTC) + timedelta(hours=1), Robot.objects.get(pk=robot_id).organisation
    Suppression.objects.all().delete()
    made = {"organisation": team, "scope": "robot", "robot_id": robot_id, "kind": "conflict", "created_at": NOW, "expires_at": until}
    return int(Suppression.objects.create(**made).pk)


def _site(robot_id: str) -> int:
    from croody.fleet.models import Robot, Site

    robot = Robot.objects.get(pk=robot_id)
    robot.site = Site.objects.get_or_create(organisation=robot.organisation, slug=f"of-{robot_id}")[0]
    robot.save()
    return int(robot.site.pk)


def _free(robot_id: str) -> dict[str, Any]:
    from croody.fleet.models import Robot

    Robot.objects.filter(pk=f"new-{robot_id}").delete()
    return {"robot_id": f"new-{robot_id}", "organisation": _team(robot_id)}


def _there(robot_id: str) -> str:
    """A robot that is there, whatever was done to it a moment ago."""
    from croody.fleet.models import Robot

    Robot.objects.filter(pk=robot_id).update(deleted_at=None)
    return robot_id


def _gone(robot_id: str) -> str:
    from croody.fleet.models import Robot

    gone = f"gone-{robot_id}"
    made = {"organisation": Robot.objects.get(pk=robot_id).organisation, "deleted_at": NOW}
    Robot.objects.filter(pk=gone).delete()
    Robot.objects.create(pk=gone, **made)
    return gone


def _team(robot_id: str) -> str:
    from croody.fleet.models import Robot

    return Robot.objects.get(pk=robot_id).organisation.slug


def _token(robot_id: str) -> int:
    from croody.accounts.models import Membership, Token
    from croody.fleet.models import Robot

    Token.objects.filter(prefix="crd_example").delete()
    team = Robot.objects.get(pk=robot_id).organisation
    made = {"prefix": "crd_example", "sha256": robot_id, "scopes": ["read"], "role": Membership.Role.VIEWER}
    return int(Token.objects.create(organisation=team, **made).pk)


def _claim(robot_id: str, authority: str = "") -> Any:
    from croody.audit.actor import SYSTEM
    from croody.fleet import claims
    from croody.fleet.models import Robot

    return claims.claim_robot(Robot.objects.get(pk=robot_id), authority=authority, actor=SYSTEM, now=datetime.now(UTC))


def _exchange(robot_id: str) -> dict[str, Any]:
    from secrets import token_hex

    from croody.api import enrol
    from croody_contract.claims import hashes_of

    # Whoever asks so often in a moment is told to wait.
    enrol.EACH.clear()
    hashes = hashes_of(token_hex())
    return {"token": _claim(robot_id).token, "hashes": {"mqtt_hash": hashes.mqtt_hash, "sha256": hashes.sha256}}


def _fingerprint(robot_id: str) -> str:
    from croody.fleet.models import Claim

    number, fingerprint = _claim(robot_id).claim.pk, "A" * 43
    Claim.objects.filter(pk=number).update(authority="a certificate", fingerprint=fingerprint)
    return fingerprint


_GROUP = {"organisation": "alices", "group": "line", "serials": "RV-##", "most": 2}
_SPAN = "metric=a&start=2026-11-24T00:00:00Z&end=2026-11-25T00:00:00Z"
_CALIBRATION = {"version": 1, "made_at": "2026-11-24T00:00:00+00:00", "made_of": {}, "maxima": {"failed_ports": {"10": 4}}}
#: Operation -> how to ask it about a robot.
EXAMPLES: dict[str, Callable[[str], Ask]] = {
    "GET /api/telemetry/healthz": lambda robot: ask("/api/telemetry/healthz", whole=True),
    "POST /api/telemetry/ingest": lambda robot: ask("/api/telemetry/ingest", {"robot_id": robot, "data": {"a": 1}}),
    "GET /api/telemetry/last": lambda robot: ask(f"/api/telemetry/last?robot_id={robot}"),
    "GET /api/telemetry/query": lambda robot: ask(f"/api/telemetry/query?robot_id={robot}"),
    "GET /api/telemetry/live": lambda robot: ask("/api/telemetry/live", whole=True),
    "GET /api/telemetry/streams": lambda robot: ask(f"/api/telemetry/streams?robot_id={robot}"),
    "GET /api/telemetry/chart": lambda robot: ask(f"/api/telemetry/chart?robot_id={robot}&{_SPAN}"),
    "GET /api/telemetry/alarms": lambda robot: ask("/api/telemetry/alarms", whole=True),
    "POST /api/telemetry/alarms/{int:number}/resolve": lambda robot: ask(f"/api/telemetry/alarms/{_alarm(robot)}/resolve", {}),
    "POST /api/telemetry/bridge/relay": lambda robot: ask("/api/telemetry/bridge/relay", {}),
    "POST /api/telemetry/bridge/security": lambda robot: ask("/api/telemetry/bridge/security", [], done=204),
    "POST /api/telemetry/bridge/outgoing": lambda robot: ask("/api/telemetry/bridge/outgoing", {}),
    "POST /api/telemetry/demo/robots": lambda robot: ask("/api/telemetry/demo/robots", {"count": 1}),
    "GET /api/telemetry/dead-letters": lambda robot: ask("/api/telemetry/dead-letters", whole=True),
    "GET /api/telemetry/dead-letters/{int:number}": lambda robot: ask(f"/api/telemetry/dead-letters/{_letter(robot)}"),
    "POST /api/telemetry/dead-letters/{int:number}/replay": lambda robot: ask(f"/api/telemetry/dead-letters/{_letter(robot)}/replay", {}),
    "GET /api/ids/healthz": lambda robot: ask("/api/ids/healthz", whole=True),
    "POST /api/ids/predict": lambda robot: ask("/api/ids/predict", {"rows": [{"src_bytes": 10}]}, whole=True),
    "GET /api/ids/model": lambda robot: ask("/api/ids/model", whole=True),
    "GET /api/ids/verdicts": lambda robot: ask(f"/api/ids/verdicts?robot_id={robot}"),
    "GET /api/ids/incidents": lambda robot: ask(f"/api/ids/incidents?robot_id={robot}"),
    "POST /api/ids/incidents/{number}/verdict": lambda robot: ask(f"/api/ids/incidents/{_incident(robot)}/verdict", {"verdict": "true"}),
    "GET /api/ids/profile": lambda robot: ask("/api/ids/profile", whole=True),
    "POST /api/ids/profile": lambda robot: ask(f"/api/ids/profile?site={_site_name(robot)}", _CALIBRATION, done=201),
    "GET /api/ids/models": lambda robot: ask("/api/ids/models", whole=True),
    "GET /api/ids/quality": lambda robot: ask("/api/ids/quality", whole=True),
    "GET /api/v1/robots": lambda robot: ask("/api/v1/robots", whole=True),
    "GET /api/v1/robots/{robot_id}": lambda robot: ask(f"/api/v1/robots/{robot}"),
    "GET /api/v1/robots/{robot_id}/values": lambda robot: ask(f"/api/v1/robots/{robot}/values"),
    "GET /api/v1/sites": lambda robot: ask("/api/v1/sites", whole=True),
    "GET /api/v1/sites/{number}": lambda robot: ask(f"/api/v1/sites/{_site(robot)}"),
    "GET /api/v1/series": lambda robot: ask(f"/api/v1/series?robot_id={robot}&{_SPAN}"),
    "GET /api/v1/alarms": lambda robot: ask("/api/v1/alarms", whole=True),
    "GET /api/v1/alarms/{number}": lambda robot: ask(f"/api/v1/alarms/{_alarm(robot)}"),
    "GET /api/v1/alarms/{number}/history": lambda robot: ask(f"/api/v1/alarms/{_alarm(robot)}/history"),
    "POST /api/v1/alarms/{number}/acknowledge": lambda robot: ask(f"/api/v1/alarms/{_alarm(robot)}/acknowledge", {}),
    "POST /api/v1/alarms/{number}/assign": lambda robot: ask(f"/api/v1/alarms/{_assigned_alarm(robot)}/assign", {"person": None}),
    "POST /api/v1/alarms/{number}/snooze": lambda robot: ask(f"/api/v1/alarms/{_alarm(robot)}/snooze", {"until": _soon()}),
    "POST /api/v1/alarms/{number}/false": lambda robot: ask(f"/api/v1/alarms/{_alarm(robot)}/false", {"scope": "cause", "until": _soon()}),
    "POST /api/v1/alarms/{number}/comment": lambda robot: ask(f"/api/v1/alarms/{_alarm(robot)}/comment", {"text": "seen"}),
    "POST /api/v1/alarms/{number}/reopen": lambda robot: ask(f"/api/v1/alarms/{_closed_alarm(robot)}/reopen", {}),
    "GET /api/v1/exceptions": lambda robot: ask("/api/v1/exceptions", whole=True),
    "POST /api/v1/exceptions/{number}/end": lambda robot: ask(f"/api/v1/exceptions/{_exception(robot)}/end", {}),
    "PATCH /api/v1/robots/{robot_id}": lambda robot: ask(f"/api/v1/robots/{robot}", {"label": "one"}, seen=True),
    "PUT /api/v1/robots/{robot_id}/sharing": lambda robot: ask(f"/api/v1/robots/{robot}/sharing", {"shared": robot == SHARED}, seen=True),
    "PUT /api/v1/robots/{robot_id}/maintenance": lambda robot: ask(f"/api/v1/robots/{robot}/maintenance", {"until": _soon()}, seen=True),
    "DELETE /api/v1/robots/{robot_id}/maintenance": lambda robot: ask(f"/api/v1/robots/{robot}/maintenance", seen=True),
    "POST /api/v1/robots": lambda robot: ask("/api/v1/robots", _free(robot), done=201),
    "POST /api/v1/robots/{robot_id}/secret": lambda robot: ask(f"/api/v1/robots/{_there(robot)}/secret", {}, seen=True),
    # No agent of theirs has said that it can.
    "POST /api/v1/robots/{robot_id}/secret/rotation": lambda robot: ask(f"/api/v1/robots/{robot}/secret/rotation", {}, seen=True, done=422),
    "GET /api/v1/robots/{robot_id}/secret/rotation": lambda robot: ask(f"/api/v1/robots/{robot}/secret/rotation", seen=True),
    "DELETE /api/v1/robots/{robot_id}": lambda robot: ask(f"/api/v1/robots/{_there(robot)}", seen=True),
    "POST /api/v1/robots/{robot_id}/bring-back": lambda robot: ask(f"/api/v1/robots/{_gone(robot)}/bring-back", {}),
    "GET /api/v1/tokens": lambda robot: ask(f"/api/v1/tokens?organisation={_team(robot)}"),
    "POST /api/v1/tokens": lambda robot: ask(
        "/api/v1/tokens", {"name": "a", "scopes": ["read"], "days": 1, "organisation": _team(robot)}, done=201
    ),
    "DELETE /api/v1/tokens/{number}": lambda robot: ask(f"/api/v1/tokens/{_token(robot)}"),
    "GET /api/v1/tags": lambda robot: ask("/api/v1/tags", whole=True),
    "GET /api/v1/robots/{robot_id}/events": lambda robot: ask(f"/api/v1/robots/{robot}/events", seen=True),
    "GET /api/v1/exports/readings": lambda robot: ask(f"/api/v1/exports/readings?robot_id={robot}&{_SPAN}"),
    "GET /api/v1/exports/events": lambda robot: ask(f"/api/v1/exports/events?robot_id={robot}&{_SPAN}", seen=True),
    "GET /api/v1/exports/alarms": lambda robot: ask(f"/api/v1/exports/alarms?{_SPAN}", whole=True),
    "GET /api/v1/exports/audit": lambda robot: ask(f"/api/v1/exports/audit?{_SPAN}", whole=True),
    "GET /api/v1/audit": lambda robot: ask("/api/v1/audit", whole=True),
    "POST /api/v1/alarms/{number}/resolve": lambda robot: ask(f"/api/v1/alarms/{_alarm(robot)}/resolve", {}),
    "GET /api/v1/deliveries": lambda robot: ask("/api/v1/deliveries", whole=True),
    "GET /api/v1/robots/{robot_id}/delivery": lambda robot: ask(f"/api/v1/robots/{robot}/delivery"),
    "POST /api/v1/enrol": lambda robot: ask("/api/v1/enrol", _exchange(robot), whole=True),
    "GET /api/v1/enrol/authority/{fingerprint}": lambda robot: ask(f"/api/v1/enrol/authority/{_fingerprint(robot)}", whole=True),
    "POST /api/v1/robots/{robot_id}/claims": lambda robot: ask(f"/api/v1/robots/{robot}/claims", {}, seen=True, done=201),
    "GET /api/v1/robots/{robot_id}/claims": lambda robot: ask(f"/api/v1/robots/{robot}/claims", seen=True),
    "POST /api/v1/claims": lambda robot: ask("/api/v1/claims", _GROUP | {"organisation": _team(robot)}, done=201),
    "GET /api/v1/claims": lambda robot: ask("/api/v1/claims", whole=True),
    "POST /api/v1/claims/{number}/revoke": lambda robot: ask(f"/api/v1/claims/{_claim(robot).claim.pk}/revoke", {}),
    "GET /api/v1/organisations": lambda robot: ask("/api/v1/organisations", whole=True),
}
KEYS = {"service:ingest": "shared-ingest-token", "service:bridge": "b" * 40, "service:ids": "i" * 40}


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    role: str
    rule: str | None


def operations() -> Iterator[Operation]:
    """Every operation of the APIs, those too that the documentation leaves out."""
    from importlib import import_module

    telemetry = import_module("croody.serve.urls.telemetry").api
    detection = import_module("croody.serve.urls.ids").api
    console = import_module("croody.serve.urls.web").api
    for role, root, api in (("telemetry", "/api/telemetry", telemetry), ("ids", "/api/ids", detection), ("web", "/api/v1", console)):
        for prefix, router in api._routers:
            for path, view in router.path_operations.items():
                for operation in view.operations:
                    marks = [getattr(one, "rule", None) for one in (*operation.auth_callbacks, operation.view_func)]
                    rule = next((mark for mark in marks if mark is not None), None)
                    for method in operation.methods:
                        yield Operation(f"{method} {root}{prefix}{path}", role, rule)


ALL = {operation.name: operation for operation in operations()}


@pytest.fixture(scope="module")
def _made(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    """The world of all tests here, made once: each has a transaction of its own within this one."""
    with ExitStack() as around:
        with django_db_blocker.unblock():
            for alias in connections:
                block = transaction.atomic(using=alias)
                # Else nothing that must be the outermost block could be tried inside.
                block._from_testcase = True
                around.enter_context(block)
            made = _make_world()
        yield made
        with django_db_blocker.unblock():
            for alias in connections:
                transaction.set_rollback(True, using=alias)
            around.close()


@pytest.fixture
def world(_made: SimpleNamespace) -> SimpleNamespace:
    """The caller's team has rover-1; Carlos's has show-1, which is shared, and carlos-1."""
    return deepcopy(_made)


def _make_world() -> SimpleNamespace:
    from django.contrib.auth.models import User

    from croody.accounts.models import Organisation
    from croody.accounts.services import reset_token
    from croody.fleet import services
    from croody.telemetry.ingest import services as ingest
    from croody_contract.messages import Telemetry

    ours = Organisation.objects.create(name="Alice's", slug="alices")
    theirs = Organisation.objects.create(name="Carlos's", slug="carlos")
    secret = services.add_robot(OWN, organisation=ours)[1]
    services.add_robot(SHARED, organisation=theirs, shared=True)
    services.add_robot(THEIRS, organisation=theirs)
    for robot_id in ROBOTS:
        ingest.ingest_one(Telemetry(data={"a": 1}), robot_id, "http", now=NOW)
    people = {role: User.objects.create_user(f"the-{role}") for role in ROLES}
    for role, user in people.items():
        ours.memberships.create(user=user, role=role)
    people["stranger"] = User.objects.create_user("who-registered")
    people["superuser"] = User.objects.create_superuser("root-user")
    keys = {name: reset_token(user) for name, user in people.items()} | KEYS | {"robot": secret, "anonymous": "", "demo": ""}
    return SimpleNamespace(keys=keys, people=people)


def status_of(settings: Any, world: SimpleNamespace, operation: Operation, caller: str, robot_id: str) -> int:
    settings.ROOT_URLCONF = f"croody.serve.urls.{operation.role}"
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    closed = {"ingest_token": KEYS["service:ingest"], "ids_token": KEYS["service:ids"], "demo": False}
    opened = {"ingest_token": "", "ids_token": "", "demo": True}
    settings.ENV = dataclasses.replace(
        settings.ENV, bridge_token=KEYS["service:bridge"], allowed_origins=(), **(opened if caller == "demo" else closed)
    )
    asked = EXAMPLES[operation.name](robot_id)
    headers = {"X-API-Key": world.keys[caller]} if world.keys[caller] else {}
    client, method = Client(), operation.name.partition(" ")[0]
    answer = client.generic(method, asked.path, asked.body or b"", content_type="application/json", headers=headers)
    if answer.streaming:
        b"".join(answer.streaming_content)
    return int(answer.status_code)


def test_every_operation_has_a_rule_and_an_example_here():
    assert {name for name, operation in ALL.items() if operation.rule is None} == set(), "say who may: auth=Needs(...) or @open_to(...)"
    assert set(EXAMPLES) == set(ALL)
    assert {operation.rule for operation in ALL.values()} <= {*Action, "anybody", "keys", "bridge", "demo"}


def test_the_documentation_names_no_operation_that_is_not_here(settings: Any):
    from croody.serve.urls.telemetry import api

    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method in methods:
            assert any(name.replace("{int:", "{") == f"{method.upper()} {path}" for name in ALL), (method, path)


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_caller_gets_what_the_table_says(name: str, world: SimpleNamespace, settings: Any):
    operation = ALL[name]
    callers = ["anonymous", "demo", "robot", "stranger", *ROLES, "superuser", *KEYS]
    got, expected = {}, {}
    for caller in callers:
        if caller == "service:ids" and operation.role != "ids":
            continue
        for index, robot_id in enumerate(ROBOTS):
            got[caller, robot_id] = status_of(settings, world, operation, caller, robot_id)
            expected[caller, robot_id] = _expected(operation, caller, index)
    assert got == expected


def _expected(operation: Operation, caller: str, index: int) -> int:
    if operation.rule in (None, "anybody"):
        return 200
    row = EXPECTED[str(operation.rule)].get(caller)
    if operation.role == "ids" and caller.startswith("service:") and operation.rule != Action.ASSESS:
        # Its own key asks and changes nothing; those of the site's other doors are nobody's.
        row = NEVER
    if row is None:
        return 404 if operation.rule == "demo" else 401
    example = EXAMPLES[operation.name](ROBOTS[index])
    if example.whole:
        return 401 if row == NEVER else int(example.done)
    if row[index] == 200:
        return int(example.done)
    return 403 if example.seen and row[index] == 404 and EXPECTED[Action.SEE][caller][index] == 200 else row[index]


@pytest.mark.parametrize(
    "name", sorted(name for name, operation in ALL.items() if name.startswith("GET") and operation.role == "telemetry")
)
def test_who_registered_by_themselves_reads_what_the_public_reads(name: str, world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    settings.ENV = dataclasses.replace(settings.ENV, demo=False, ingest_token="", bridge_token=KEYS["service:bridge"])
    for robot_id in ROBOTS:
        _alarm(OWN)
        _letter(OWN)
        path = EXAMPLES[name](robot_id).path
        public, theirs = Client().get(path), Client().get(path, headers={"X-API-Key": world.keys["stranger"]})
        if public.status_code == 401:
            assert theirs.status_code == 404 or theirs.json() == [], path
        else:
            said = [re.sub(rb'"updated_at":"[^"]*"', b"", answer.content) for answer in (public, theirs)]
            assert (public.status_code, said[0]) == (theirs.status_code, said[1]), path


def test_the_question_and_the_query_give_the_same_answer(world: SimpleNamespace):
    from croody.accounts.caller import ANONYMOUS, DEMO, Caller, Role, of_user
    from croody.accounts.models import Organisation
    from croody.fleet.models import Robot

    first = Organisation.objects.order_by("pk").values_list("pk", flat=True)[0]
    callers = [
        ANONYMOUS,
        DEMO,
        Caller("robot", robot_id=OWN),
        Caller("service", service="bridge"),
        Caller("service", service="ids", roles=((first, Role.OPERATOR),)),
        Caller("service", service="ingest", roles=((first, Role.OPERATOR),)),
        *(of_user(user) for user in world.people.values()),
    ]
    for caller in callers:
        narrow = dataclasses.replace(caller, scopes=frozenset())
        for action in Action:
            allowed = {robot.pk for robot in Robot.objects.all() if may(caller, action, robot)}
            assert allowed == set(robots(caller, action).values_list("pk", flat=True)), (caller, action)
            assert not any(may(narrow, action, robot) for robot in Robot.objects.all())


@pytest.mark.parametrize("name", sorted(ALL))
def test_an_organisations_token_may_what_its_role_may(name: str, world: SimpleNamespace, settings: Any):
    from croody.accounts import tokens
    from croody.accounts.models import Membership, Organisation, Token
    from croody.audit.actor import SYSTEM

    operation = ALL[name]
    if operation.rule not in EXPECTED:
        return
    organisation, values = Organisation.objects.get(slug="alices"), {"scopes": list(Token.Scope), "days": 1, "now": datetime.now(UTC)}
    token = tokens.make_service(organisation, "t", role=Membership.Role.OPERATOR, actor=SYSTEM, **values)[1]  # type: ignore[arg-type]
    world.keys["service token"] = token
    for robot_id in ROBOTS:
        expected = status_of(settings, world, operation, "operator", robot_id)
        assert status_of(settings, world, operation, "service token", robot_id) == expected, robot_id


@pytest.mark.parametrize(
    ("scopes", "name", "status"),
    [
        (["read"], "GET /api/telemetry/last", 200),
        (["read"], "POST /api/telemetry/ingest", 403),
        (["read"], "POST /api/telemetry/dead-letters/{int:number}/replay", 403),
        (["read"], "GET /api/ids/verdicts", 200),
        (["ingest"], "POST /api/telemetry/ingest", 201),
        (["ingest"], "GET /api/telemetry/last", 403),
        (["ingest"], "GET /api/telemetry/dead-letters", 403),
        (["ingest"], "GET /api/ids/verdicts", 403),
        (["act"], "POST /api/telemetry/alarms/{int:number}/resolve", 200),
        (["act"], "GET /api/telemetry/alarms", 403),
        ([], "GET /api/telemetry/query", 403),
    ],
)
def test_a_token_does_what_it_was_made_for_and_nothing_else(
    world: SimpleNamespace, settings: Any, scopes: list[Any], name: str, status: int
):
    from croody.accounts.services import reset_token

    world.keys["owner"] = reset_token(world.people["owner"], scopes=scopes)
    assert status_of(settings, world, ALL[name], "owner", OWN) == status


def test_a_token_without_a_scope_is_told_which_and_what_to_do(world: SimpleNamespace, settings: Any):
    from croody.accounts.models import Token
    from croody.accounts.services import reset_token

    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    key = reset_token(world.people["owner"], scopes=[Token.Scope.READ])
    body = json.dumps({"robot_id": OWN, "data": {"a": 1}})
    answer = Client().post("/api/telemetry/ingest", body, content_type="application/json", headers={"X-API-Key": key})
    assert answer.status_code == 403
    assert "'ingest'" in answer.json()["detail"]
    assert "profile" in answer.json()["detail"]


# Pages

#: Page -> how to ask for it, and what somebody gets for whom it is.
PAGES: dict[str, tuple[str, str, int]] = {
    "favicon.ico": ("GET", "/favicon.ico", 302),
    "": ("GET", "/", 200),
    "estado/": ("GET", "/estado/", 200),
    "health/": ("GET", "/health/", 200),
    "api/v1/<path:rest>": ("GET", "/api/v1/nothing", 404),
    "robots/monitor/": ("GET", "/robots/monitor/", 200),
    "robots/monitor/deteccion/": ("GET", "/robots/monitor/deteccion/", 200),
    "robots/monitor/alertas/": ("GET", "/robots/monitor/alertas/", 200),
    # There is no such alarm: what becomes of one is `test_alarm_pages`' business.
    "robots/monitor/alertas/<int:number>/cerrar/": ("POST", "/robots/monitor/alertas/1/cerrar/", 404),
    "robots/monitor/stream": ("GET", "/robots/monitor/stream", 200),
    "api/telemetry/stream": ("GET", f"/api/telemetry/stream?robot_id={SHARED}", 200),
    "console/": ("GET", "/console/", 200),
    "console/robots/<robot:robot_id>/": ("GET", "/console/robots/{robot}/", 200),
    "console/robots/<robot:robot_id>/stream": ("GET", "/console/robots/{robot}/stream", 200),
    "console/robots/<robot:robot_id>/series": ("GET", "/console/robots/{robot}/series?m=TEMP", 200),
    "console/robots/<robot:robot_id>/table/": ("GET", "/console/robots/{robot}/table/", 200),
    "console/robots/<robot:robot_id>/log/": ("GET", "/console/robots/{robot}/log/", 200),
    # No camera of theirs sent anything.
    "console/robots/<robot:robot_id>/pictures/<int:number>.jpg": ("GET", "/console/robots/{robot}/pictures/1.jpg", 404),
    "console/robots/<robot:robot_id>/logs/": ("POST", "/console/robots/{robot}/logs/", 303),
    "console/robots/<robot:robot_id>/notes/": ("POST", "/console/robots/{robot}/notes/", 303),
    "console/robots/<robot:robot_id>/rotate/": ("POST", "/console/robots/{robot}/rotate/", 200),
    "console/robots/<robot:robot_id>/rotate-itself/": ("POST", "/console/robots/{robot}/rotate-itself/", 303),
    "console/robots/new/<robot:robot_id>/claim/": ("POST", "/console/robots/new/{robot}/claim/", 303),
    "console/robots/<robot:robot_id>/revoke/": ("POST", "/console/robots/{robot}/revoke/", 303),
    "console/robots/<robot:robot_id>/bring-back/": ("POST", "/console/robots/{robot}/bring-back/", 303),
    # There are no such ones.
    "console/robots/<robot:robot_id>/letters/<int:number>/replay/": ("POST", "/console/robots/{robot}/letters/1/replay/", 404),
    "console/robots/<robot:robot_id>/alarms/<int:number>/close/": ("POST", "/console/robots/{robot}/alarms/1/close/", 404),
    "console/delivery/": ("GET", "/console/delivery/", 200),
    "console/delivery/<robot:robot_id>/": ("GET", "/console/delivery/{robot}/", 200),
    "console/delivery/<robot:robot_id>/proof/": ("GET", "/console/delivery/{robot}/proof/", 200),
    "console/delivery/<robot:robot_id>/proof/export/": ("GET", "/console/delivery/{robot}/proof/export/", 200),
    "console/delivery/<robot:robot_id>/letters/<int:number>/replay/": ("POST", "/console/delivery/{robot}/letters/0/replay/", 404),
    "console/delivery/<robot:robot_id>/letters/<int:number>/discard/": ("POST", "/console/delivery/{robot}/letters/0/discard/", 404),
    "console/kpis/": ("GET", "/console/kpis/", 200),
    "console/kpis/export/": ("GET", "/console/kpis/export/", 200),
    "console/log/": ("GET", "/console/log/", 200),
    "console/log/export/": ("GET", "/console/log/export/", 200),
    "console/system/": ("GET", "/console/system/", 200),
    "console/organisations/new/": ("POST", "/console/organisations/new/", 422),
    "console/access/": ("GET", "/console/access/", 302),
    "console/access/<slug:organisation>/": ("GET", "/console/access/{organisation}/", 200),
    "console/access/<slug:organisation>/invite/": ("POST", "/console/access/{organisation}/invite/", 422),
    "console/access/<slug:organisation>/invitations/<int:number>/revoke/": (
        "POST",
        "/console/access/{organisation}/invitations/0/revoke/",
        404,
    ),
    "console/access/<slug:organisation>/members/<int:number>/role/": ("POST", "/console/access/{organisation}/members/0/role/", 404),
    "console/access/<slug:organisation>/members/<int:number>/remove/": ("POST", "/console/access/{organisation}/members/0/remove/", 404),
    "console/access/<slug:organisation>/settings/": ("POST", "/console/access/{organisation}/settings/", 422),
    "console/access/<slug:organisation>/leave/": ("GET", "/console/access/{organisation}/leave/", 200),
    "console/access/<slug:organisation>/tokens/make/": ("POST", "/console/access/{organisation}/tokens/make/", 422),
    "console/access/<slug:organisation>/tokens/<int:number>/revoke/": ("POST", "/console/access/{organisation}/tokens/0/revoke/", 404),
    "cuenta/invitacion/": ("GET", "/cuenta/invitacion/", 410),
    "cuenta/invitacion/<str:secret>/": ("GET", "/cuenta/invitacion/no-such-secret/", 302),
    "console/robots/<robot:robot_id>/star/": ("POST", "/console/robots/{robot}/star/", 303),
    "console/views/": ("POST", "/console/views/", 303),
    "console/many/": ("GET", "/console/many/", 200),
    "console/many/undo/": ("POST", "/console/many/undo/", 303),
    "console/many/<slug:verb>/": ("POST", "/console/many/star/", 303),
    "console/views/<int:number>/forget/": ("POST", "/console/views/1/forget/", 404),
    "console/robots/<robot:robot_id>/maintenance/": ("GET", "/console/robots/{robot}/maintenance/", 200),
    "console/robots/<robot:robot_id>/maintenance/start/": ("POST", "/console/robots/{robot}/maintenance/start/", 303),
    "console/robots/<robot:robot_id>/maintenance/end/": ("POST", "/console/robots/{robot}/maintenance/end/", 303),
    "console/find": ("GET", "/console/find", 200),
    "console/stream": ("GET", "/console/stream", 200),
    "console/robots/<robot:robot_id>/edit/": ("GET", "/console/robots/{robot}/edit/", 200),
    "console/robots/<robot:robot_id>/edit/label/": ("POST", "/console/robots/{robot}/edit/label/", 303),
    "console/robots/<robot:robot_id>/edit/tags/": ("POST", "/console/robots/{robot}/edit/tags/", 303),
    "console/robots/<robot:robot_id>/edit/site/": ("POST", "/console/robots/{robot}/edit/site/", 303),
    "console/robots/<robot:robot_id>/edit/share/": ("POST", "/console/robots/{robot}/edit/share/", 303),
    "console/detection/": ("GET", "/console/detection/", 200),
    # There is no such verdict: what becomes of one is `test_console_detection`'s business.
    "console/detection/<int:number>/": ("POST", "/console/detection/1000000/", 404),
    # What becomes of those that there are, is `test_console_detection`'s business.
    "console/detection/incidents/<int:number>/verdict/": ("POST", "/console/detection/incidents/1000000/verdict/", 404),
    "console/detection/captures/<int:number>/": ("GET", "/console/detection/captures/1000000/", 404),
    "console/detection/exceptions/<int:number>/end/": ("POST", "/console/detection/exceptions/1000000/end/", 404),
    "console/detection/models/<int:number>/": ("POST", "/console/detection/models/1000000/", 404),
    "console/detection/calibrations/<int:number>/confirm/": ("POST", "/console/detection/calibrations/1000000/confirm/", 404),
    "console/sites/": ("GET", "/console/sites/", 200),
    # There is no such site: what becomes of one is `test_sites`' business.
    "console/sites/<int:number>/": ("GET", "/console/sites/1000000/", 404),
    "console/sites/<int:number>/delete/": ("POST", "/console/sites/1000000/delete/", 404),
    "console/robots/new/": ("GET", "/console/robots/new/", 200),
    "console/robots/new/<robot:robot_id>/": ("GET", "/console/robots/new/{robot}/", 200),
    "console/map/": ("GET", "/console/map/", 200),
    "console/map/stream": ("GET", "/console/map/stream", 200),
    "console/alerts/": ("GET", "/console/alerts/", 200),
    # What becomes of an alarm that there is, is `test_console_alerts`' business.
    "console/alerts/<int:number>/": ("GET", "/console/alerts/1/", 404),
    "console/alerts/all/": ("GET", "/console/alerts/all/", 200),
    "console/alerts/all/<slug:verb>/": ("POST", "/console/alerts/all/close/", 303),
    "console/alerts/act/<slug:verb>/": ("POST", "/console/alerts/act/close/", 303),
    "console/alerts/undo/": ("POST", "/console/alerts/undo/", 303),
    "console/alerts/exceptions/": ("GET", "/console/alerts/exceptions/", 200),
    "console/alerts/exceptions/<int:number>/end/": ("POST", "/console/alerts/exceptions/1/end/", 404),
    "console/alerts/stream/": ("GET", "/console/alerts/stream/", 200),
    "console/rules/": ("GET", "/console/rules/", 200),
    "console/rules/new/": ("GET", "/console/rules/new/", 200),
    "console/rules/<int:number>/": ("GET", "/console/rules/1000000/", 404),
    "console/rules/<int:number>/delete/": ("POST", "/console/rules/1000000/delete/", 404),
    "console/rules/<int:number>/bring-back/": ("POST", "/console/rules/1000000/bring-back/", 404),
    "console/rules/mine/": ("GET", "/console/rules/mine/", 200),
    "console/rules/mine/browsers/": ("GET", "/console/rules/mine/browsers/", 200),
    # What is no subscription is refused in words, back on the page.
    "console/rules/mine/browsers/add/": ("POST", "/console/rules/mine/browsers/add/", 303),
    "console/rules/mine/browsers/<int:number>/delete/": ("POST", "/console/rules/mine/browsers/1000000/delete/", 404),
    "console/rules/channels/new/": ("GET", "/console/rules/channels/new/", 200),
    "console/rules/channels/<int:number>/": ("GET", "/console/rules/channels/1000000/", 404),
    "console/rules/channels/<int:number>/delete/": ("POST", "/console/rules/channels/1000000/delete/", 404),
    "console/rules/channels/<int:number>/test/": ("POST", "/console/rules/channels/1000000/test/", 404),
    "console/handover/": ("GET", "/console/handover/", 200),
    "console/handover/sign/": ("POST", "/console/handover/sign/", 404),
    "nosotros/": ("GET", "/nosotros/", 200),
    "buddy/": ("GET", "/buddy/", 200),
    "buddy/suscripciones/": ("GET", "/buddy/suscripciones/", 200),
    "buddy/suscripciones/<str:token>/": ("GET", "/buddy/suscripciones/no-such-token/", 410),
    "integrar/": ("GET", "/integrar/", 200),
    "contacto/": ("GET", "/contacto/", 200),
    "legal/<slug:slug>/": ("GET", "/legal/privacidad/", 200),
    "robots.txt": ("GET", "/robots.txt", 200),
    "sitemap.xml": ("GET", "/sitemap.xml", 200),
    "integraciones/": ("GET", "/integraciones/", 301),
    "luks/": ("GET", "/luks/", 301),
    "mi-cuenta/": ("GET", "/mi-cuenta/", 301),
    "mi-cuenta/pedidos/": ("GET", "/mi-cuenta/pedidos/", 301),
    "mi-cuenta/direcciones/": ("GET", "/mi-cuenta/direcciones/", 301),
    "mi-cuenta/<path:rest>": ("GET", "/mi-cuenta/perfil/", 301),
    "^redoc/?$": ("GET", "/redoc", 301),
    "tienda/gestion/mensajes/": ("GET", "/tienda/gestion/mensajes/", 200),
    "tienda/gestion/beta.csv": ("GET", "/tienda/gestion/beta.csv", 200),
    # What becomes of carts and orders that there are is `tests/cloud/shop`'s business.
    "tienda/": ("GET", "/tienda/", 200),
    "tienda/<slug:slug>/": ("GET", "/tienda/no-such-thing/", 404),
    "tienda/<slug:slug>/avisame/": ("POST", "/tienda/no-such-thing/avisame/", 404),
    "tienda/aviso/<str:token>/": ("GET", "/tienda/aviso/none/", 410),
    "tienda/carrito/": ("GET", "/tienda/carrito/", 200),
    "tienda/carrito/agregar/": ("POST", "/tienda/carrito/agregar/", 404),
    "tienda/carrito/cambiar/": ("POST", "/tienda/carrito/cambiar/", 404),
    "tienda/carrito/cupon/": ("POST", "/tienda/carrito/cupon/", 303),
    "tienda/api/cart/": ("GET", "/tienda/api/cart/", 200),
    "tienda/api/cart/add/": ("POST", "/tienda/api/cart/add/", 404),
    "tienda/api/cart/change/": ("POST", "/tienda/api/cart/change/", 404),
    "tienda/pagar/": ("GET", "/tienda/pagar/", 302),
    "tienda/pedidos/<str:name>/<str:secret>/": ("GET", "/tienda/pedidos/2026-000001/none/", 404),
    "tienda/pedidos/<str:name>/<str:secret>/pagar/": ("POST", "/tienda/pedidos/2026-000001/none/pagar/", 404),
    "tienda/pedidos/<str:name>/<str:secret>/cancelar/": ("POST", "/tienda/pedidos/2026-000001/none/cancelar/", 404),
    "tienda/pedidos/<str:name>/<str:secret>/placas/": ("POST", "/tienda/pedidos/2026-000001/none/placas/", 404),
    "tienda/pedidos/<str:name>/<str:secret>/factura/": ("GET", "/tienda/pedidos/2026-000001/none/factura/", 404),
    "tienda/pago/aviso/<slug:provider>/": ("POST", "/tienda/pago/aviso/sandbox/", 400),
    "tienda/pago/prueba/<slug:reference>/": ("GET", "/tienda/pago/prueba/none/", 404),
    "tienda/gestion/": ("GET", "/tienda/gestion/", 200),
    "tienda/gestion/pedidos/<int:number>/": ("GET", "/tienda/gestion/pedidos/1/", 404),
    "tienda/gestion/pedidos/<int:number>/mover/": ("POST", "/tienda/gestion/pedidos/1/mover/", 404),
    "tienda/gestion/pedidos/<int:number>/devolver/": ("POST", "/tienda/gestion/pedidos/1/devolver/", 404),
    "tienda/gestion/clientes/": ("GET", "/tienda/gestion/clientes/", 200),
    "tienda/gestion/clientes/<int:number>/": ("GET", "/tienda/gestion/clientes/1/", 404),
    "tienda/gestion/productos/": ("GET", "/tienda/gestion/productos/", 200),
    "tienda/gestion/productos.csv": ("GET", "/tienda/gestion/productos.csv", 200),
    "tienda/gestion/productos/importar/": ("POST", "/tienda/gestion/productos/importar/", 303),
    "tienda/gestion/productos/<int:number>/fotos/": ("GET", "/tienda/gestion/productos/1/fotos/", 404),
    "tienda/gestion/productos/<int:number>/fotos/<int:picture>/": ("POST", "/tienda/gestion/productos/1/fotos/1/", 404),
    "tienda/fotos/<str:name>": ("GET", "/tienda/fotos/none-320.webp", 404),
    "tienda/gestion/productos/<int:number>/almacen/": ("POST", "/tienda/gestion/productos/1/almacen/", 404),
    "cuenta/datos/": ("GET", "/cuenta/datos/", 200),
    "cuenta/datos/descargar/": ("GET", "/cuenta/datos/descargar/", 200),
    "cuenta/datos/borrar/": ("GET", "/cuenta/datos/borrar/", 302),
    "cuenta/datos/quedarme/": ("POST", "/cuenta/datos/quedarme/", 302),
    "cuenta/direcciones/": ("GET", "/cuenta/direcciones/", 200),
    "cuenta/direcciones/<int:number>/": ("GET", "/cuenta/direcciones/1/", 404),
    "cuenta/pedidos/": ("GET", "/cuenta/pedidos/", 200),
    "cuenta/": ("GET", "/cuenta/", 302),
    "cuenta/acceder/": ("GET", "/cuenta/acceder/", 200),
    "cuenta/salir/": ("GET", "/cuenta/salir/", 302),
    "admin/login/": ("GET", "/admin/login/", 302),
    "admin/logout/": ("GET", "/admin/logout/", 302),
    "cuenta/registro/": ("GET", "/cuenta/registro/", 403),
    "cuenta/entrar/<str:token>/": ("GET", "/cuenta/entrar/no-such-token/", 410),
    "cuenta/confirmar/": ("GET", "/cuenta/confirmar/", 200),
    "cuenta/^confirmar/(?P<key>[-:\\w]+)/$": ("GET", "/cuenta/confirmar/no-such-key/", 200),
    "cuenta/contrasena/olvidada/": ("GET", "/cuenta/contrasena/olvidada/", 200),
    "cuenta/contrasena/olvidada/enviada/": ("GET", "/cuenta/contrasena/olvidada/enviada/", 200),
    "cuenta/^contrasena/nueva/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": ("GET", "/cuenta/contrasena/nueva/1-no-such-key/", 200),
    "cuenta/contrasena/nueva/": ("GET", "/cuenta/contrasena/nueva/", 200),
    "cuenta/otra-vez/": ("GET", "/cuenta/otra-vez/", 403),
    "cuenta/correo/": ("GET", "/cuenta/correo/", 200),
    # Only the demo has one, for this machine: `test_mail`.
    "cuenta/buzon/": ("GET", "/cuenta/buzon/", 404),
    "cuenta/preferencias/": ("GET", "/cuenta/preferencias/", 200),
    "cuenta/perfil/claves/": ("POST", "/cuenta/perfil/claves/", 422),
    "cuenta/perfil/claves/<int:number>/revocar/": ("GET", "/cuenta/perfil/claves/0/revocar/", 404),
    "cuenta/sesiones/": ("GET", "/cuenta/sesiones/", 200),
    "cuenta/segundo-factor/": ("GET", "/cuenta/segundo-factor/", 200),
    # Between the password and the second factor; who is neither there nor in is led to the log-in.
    "cuenta/segundo-factor/entrar/": ("GET", "/cuenta/segundo-factor/entrar/", 302),
    # They have no password and no factor to show.
    "cuenta/segundo-factor/otra-vez/": ("GET", "/cuenta/segundo-factor/otra-vez/", 403),
    "cuenta/llaves/otra-vez/": ("GET", "/cuenta/llaves/otra-vez/", 403),
    "cuenta/segundo-factor/aplicacion/": ("GET", "/cuenta/segundo-factor/aplicacion/", 200),
    "cuenta/segundo-factor/aplicacion/quitar/": ("GET", "/cuenta/segundo-factor/aplicacion/quitar/", 404),
    "cuenta/segundo-factor/codigos/": ("GET", "/cuenta/segundo-factor/codigos/", 404),
    "cuenta/segundo-factor/codigos/nuevos/": ("GET", "/cuenta/segundo-factor/codigos/nuevos/", 200),
    "cuenta/llaves/": ("GET", "/cuenta/llaves/", 200),
    "cuenta/llaves/agregar/": ("GET", "/cuenta/llaves/agregar/", 200),
    "cuenta/llaves/entrar/": ("GET", "/cuenta/llaves/entrar/", 302),
    "cuenta/llaves/<int:pk>/quitar/": ("GET", "/cuenta/llaves/0/quitar/", 404),
    "cuenta/foto/": ("POST", "/cuenta/foto/", 302),
    "cuenta/foto/<slug:digest>.webp": ("GET", "/cuenta/foto/none.webp", 404),
    "cuenta/perfil/": ("GET", "/cuenta/perfil/", 200),
    "cuenta/perfil/clave/": ("POST", "/cuenta/perfil/clave/", 200),
    "cuenta/perfil/clave/revocar/": ("POST", "/cuenta/perfil/clave/revocar/", 302),
    "cuenta/perfil/contrasena/": ("POST", "/cuenta/perfil/contrasena/", 422),
}
#: Pages of the console that are about one robot, `{robot}` in their address: each role asks for each of `ROBOTS`.
ABOUT_ROBOTS = {path for path, (_method, address, _fine) in PAGES.items() if "{robot}" in address}
#: Pages about one organisation, `{organisation}` in their address: each role asks for its own and for another one.
ABOUT_ORGANISATIONS = {path for path, (_method, address, _fine) in PAGES.items() if "{organisation}" in address}
#: Pages of who keeps the shop.
KEEPING = {path for path in PAGES if path.startswith("tienda/gestion/")}
_OWNER_ALONE = {"viewer": 403, "operator": 403, "maintainer": 403, "owner": 200, "superuser": 200}
#: Affair -> what comes of it in one's own organisation; of another one nobody but a superuser knows.
EXPECTED_OF_ORGANISATIONS: dict[str, dict[str, int]] = {
    Affair.MEET: {**dict.fromkeys(ROLES, 200), "superuser": 200},
    # A superuser is in none of them, and cannot leave.
    Affair.LEAVE: {**dict.fromkeys(ROLES, 200), "superuser": 403},
    Affair.INVITE: _OWNER_ALONE,
    Affair.MEMBERS: _OWNER_ALONE,
    Affair.TOKENS: _OWNER_ALONE,
    Affair.SETTINGS: _OWNER_ALONE,
}
_REFUNDS = {"viewer": 403, "operator": 403, "maintainer": 403, "owner": 200, "superuser": 200}
#: Act -> what comes of it for the people of the seller's organisation; of anybody else's nobody knows.
EXPECTED_OF_THE_SHOP: dict[str, dict[str, int]] = {
    ShopAct.LOOK: {**dict.fromkeys(ROLES, 200), "superuser": 200},
    ShopAct.FULFIL: {**dict.fromkeys(ROLES, 200), "viewer": 403, "superuser": 200},
    ShopAct.STOCK_LIST: {**_REFUNDS, "maintainer": 200},
    ShopAct.REFUND: _REFUNDS,
}
#: Somebody who is signed in is sent on.
SENT_ON = {"cuenta/acceder/", "cuenta/registro/", "admin/login/"}


def pages() -> dict[str, Any]:
    """Every address of the web role but the admin site's, which Django's own permissions guard."""
    found: dict[str, Any] = {}

    def walk(patterns: Any, before: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                found[f"{before}{pattern.pattern}"] = pattern.callback
            elif getattr(pattern, "app_name", None) not in ("admin", "ninja"):
                walk(pattern.url_patterns, f"{before}{pattern.pattern}")

    walk(get_resolver("croody.serve.urls.web").url_patterns, "")
    return found


def test_every_page_has_a_rule_and_an_example_here():
    known = pages()
    assert {path for path, view in known.items() if getattr(view, "rule", None) is None} == set(), "say who may: @open_to(...)"
    assert set(PAGES) == set(known)
    assert {view.rule for view in known.values()} <= {*Action, *Affair, *ShopAct, "anybody", "people", "staff", "superuser"}


@pytest.mark.parametrize("path", sorted(ABOUT_ROBOTS))
def test_a_page_about_a_robot_is_for_those_whom_the_table_names(path: str, world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    method, address, fine = PAGES[path]
    rule = pages()[path].rule
    got, expected = {}, {}
    for name in ("anonymous", *ROLES, "stranger", "superuser"):
        client = Client()
        if name != "anonymous":
            client.force_login(world.people[name])
        for index, robot_id in enumerate(ROBOTS):
            where = address.format(robot=robot_id)
            got[name, robot_id] = (client.get(where) if method == "GET" else client.post(where)).status_code
            status = 302 if name == "anonymous" else EXPECTED[rule][name][index]
            expected[name, robot_id] = fine if status == 200 else status
    assert got == expected


@pytest.mark.parametrize("path", sorted(ABOUT_ORGANISATIONS))
def test_a_page_about_an_organisation_is_for_those_whom_the_table_names(path: str, world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    method, address, fine = PAGES[path]
    table = EXPECTED_OF_ORGANISATIONS[pages()[path].rule]
    got, expected = {}, {}
    for name in ("anonymous", *ROLES, "stranger", "superuser"):
        client = Client()
        if name != "anonymous":
            client.force_login(world.people[name])
        for organisation in ("alices", "carlos", "no-such"):
            where = address.format(organisation=organisation)
            got[name, organisation] = (client.get(where) if method == "GET" else client.post(where)).status_code
            known = organisation == "alices" or (name == "superuser" and organisation == "carlos")
            status = 302 if name == "anonymous" else table.get(name, 404) if known else 404
            expected[name, organisation] = fine if status == 200 else status
    assert got == expected


def test_the_rules_about_organisations_are_one_table_and_tokens_have_no_say_in_its_people():
    from croody.accounts import organisation_rules
    from croody.accounts.caller import Caller, Role

    assert {affair for actions in organisation_rules.ROLES.values() for affair in actions} == set(Affair)
    token = Caller("token", user_id=1, roles=((1, Role.OWNER),))
    assert [affair for affair in Affair if organisation_rules.may(token, affair, 1)] == [Affair.MEET, Affair.TOKENS]
    assert not organisation_rules.may(dataclasses.replace(token, scopes=frozenset()), Affair.MEET, 1)


@pytest.mark.parametrize("path", sorted(KEEPING))
def test_a_page_of_the_shops_keepers_is_for_those_whom_the_table_names(path: str, world: SimpleNamespace, settings: Any):
    from croody.accounts.models import Organisation
    from croody.shop.models import Seller

    settings.ROOT_URLCONF = "croody.serve.urls.web"
    method, address, fine = PAGES[path]
    table = EXPECTED_OF_THE_SHOP[pages()[path].rule]
    got, expected = {}, {}
    for organisation in ("", "carlos", "alices"):
        if organisation:
            Seller.objects.update_or_create(pk=1, defaults={"organisation": Organisation.objects.get(slug=organisation), "name": "Shop"})
        for name in ("anonymous", *ROLES, "stranger", "superuser"):
            client = Client()
            if name != "anonymous":
                client.force_login(world.people[name])
            got[name, organisation] = (client.get(address) if method == "GET" else client.post(address)).status_code
            known = organisation == "alices" or (name == "superuser" and organisation == "carlos")
            status = table.get(name, 404) if known else 404
            expected[name, organisation] = 302 if name == "anonymous" else fine if status == 200 else status
    assert got == expected


@pytest.mark.parametrize("path", sorted(set(PAGES) - ABOUT_ROBOTS - ABOUT_ORGANISATIONS - KEEPING))
def test_each_page_is_for_whom_it_says(path: str, world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    method, address, fine = PAGES[path]
    rule = pages()[path].rule
    got, expected = {}, {}
    for name in ("anonymous", *ROLES, "superuser"):
        client = Client()
        if name != "anonymous":
            client.force_login(world.people[name])
        answer = client.get(address) if method == "GET" else client.post(address)
        got[name] = answer.status_code
        expected[name] = fine
        if name == "anonymous" and rule == "people":
            expected[name] = 302
            assert answer.headers["Location"].startswith("/cuenta/acceder/")
        elif name == "anonymous" and path.startswith("console/"):
            expected[name] = 302
        elif (rule == Action.CONFIGURE and name in ("viewer", "operator")) or (rule == "superuser" and name in ROLES):
            expected[name] = 403
        elif name == "anonymous" and rule in (Action.INSPECT, Action.ACT):
            expected[name] = 404
        elif name in ROLES and path == "admin/login/":
            expected[name] = 403
        elif name != "anonymous" and path in SENT_ON:
            expected[name] = 302
    assert got == expected


@pytest.mark.parametrize("path", sorted(PAGES))
def test_who_types_an_address_is_never_told_that_the_method_is_wrong(path: str, world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    for name in ("anonymous", "owner"):
        client = Client()
        if name == "owner":
            client.force_login(world.people[name])
        assert client.get(PAGES[path][1].format(robot=OWN, organisation="alices")).status_code != 405, name


@pytest.mark.parametrize("name", ["anonymous", *ROLES, "superuser"])
def test_a_stream_of_a_robot_is_for_those_who_see_it(name: str, world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    for index, robot_id in enumerate(ROBOTS):
        client = Client()
        if name != "anonymous":
            client.force_login(world.people[name])
        answer = client.get(f"/api/telemetry/stream?robot_id={robot_id}")
        assert answer.status_code == EXPECTED[Action.SEE][name][index], robot_id


@pytest.mark.parametrize("caller", ["service:ingest", "service:bridge", "robot", *ROLES, "superuser"])
def test_a_stream_that_is_asked_for_by_key_follows_the_same_table(caller: str, world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    keys = {"ingest_token": KEYS["service:ingest"], "bridge_token": KEYS["service:bridge"], "demo": False}
    settings.ENV = dataclasses.replace(settings.ENV, **keys)
    for index, robot_id in enumerate(ROBOTS):
        answer = Client().get(f"/api/telemetry/stream?robot_id={robot_id}", headers={"X-API-Key": world.keys[caller]})
        assert answer.status_code == EXPECTED[Action.SEE][caller][index], robot_id


def test_who_is_signed_in_and_no_staff_is_told_how_one_becomes_staff(world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    client = Client()
    client.force_login(world.people["owner"])
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "login-link --user" in answer.content.decode()
    assert "<h1>Aquí solo entra quien administra el sitio</h1>" in answer.content.decode()


def test_the_admin_site_is_for_staff(world: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    for name, status in (("anonymous", 302), ("owner", 302), ("superuser", 200)):
        client = Client()
        if name != "anonymous":
            client.force_login(world.people[name])
        assert client.get("/admin/").status_code == status, name
