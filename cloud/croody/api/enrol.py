"""How a board comes by a secret of its own: the exchange of a claim, for boards; and the claims themselves, for people's programs."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Schema, Status

from croody.accounts.caller import actor_of
from croody.accounts.rules import open_to
from croody.accounts.throttle import address_of
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Conflict, Problem, Wrong
from croody.api.fleet import RobotId, router
from croody.api.rates import Buckets
from croody.api.request_bodies import ClaimIn, GroupClaimIn
from croody.api.schemas import ClaimMadeOut, ClaimsOut, example
from croody.api.sites import site_of
from croody.fleet import adding, claim_lines, claims, services, trust_anchor
from croody.fleet.access import Action, asking, need, organisations
from croody.fleet.models import Claim
from croody.web.body import read_body
from croody.web.refusals import Denied
from croody_contract.claims import Enrolled, Exchange

#: Exchanges a second from one address, and at once: a production line behind one router fits. All addresses together: ten times that.
EACH: Final = Buckets(rate=2.0, burst=60.0)
ALL: Final = Buckets(rate=20.0, burst=600.0)
#: What a board sends is far smaller.
_MOST_BYTES: Final = 4096
_exchange: Final = msgspec.json.Decoder(Exchange)
_EXAMPLE: Final = {
    "token": "k3J9w2Qd7Xn5Rb8Tz1Lm4Vc6",
    "hashes": {
        "mqtt_hash": "$7$101$c2FsdHNhbHRzYWx0$" + "A" * 86 + "==",
        "sha256": "5e884898da28047151d0e56f8dc6292773603d0d6aabbd" + "0" * 18,
    },
    "robot_id": "amr-01",
}
_SCHEMA: Final = {
    "type": "object",
    "required": ["token", "hashes"],
    "properties": {
        "token": {"type": "string", "pattern": "^[A-Za-z0-9_-]{24}$"},
        "hashes": {
            "type": "object",
            "additionalProperties": False,
            "required": ["mqtt_hash", "sha256"],
            "properties": {
                "mqtt_hash": {"type": "string", "maxLength": 160},
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
        },
        "robot_id": {"type": "string", "maxLength": 64},
        "serial": {"type": "string", "maxLength": 40},
    },
}
_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA, "example": _EXAMPLE}}}}
Fingerprint = Annotated[str, Path(min_length=43, max_length=43, description="SHA-256 of its certificate, in base64url")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class EnrolledOut(Schema):
    """As which robot the board comes in, and where its broker listens, the likeliest first."""

    model_config = example(robot_id="amr-01", brokers=["mqtts://robots.example.org:8883", "wss://robots.example.org/mqtt"])

    robot_id: str
    brokers: list[str]


@router.post(
    "/enrol",
    response={200: EnrolledOut, 409: Problem, 413: Problem, **ERRORS},
    summary="Exchange a claim for a place of one's own",
    tags=["enrolment"],
    openapi_extra=_BODY,
)
@open_to("anybody")
def enrol(request: HttpRequest) -> HttpResponse:
    """For boards, which have no key yet. The same body once more gives the same answer, while the claim lasts."""
    address = _count(request)
    try:
        asked = _exchange.decode(read_body(request, _MOST_BYTES))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Wrong("body", "not an exchange", str(error)[:150], "send what docs/reference/protocol.md has") from error
    try:
        robot = claims.exchange(asked, address=address, now=timezone.now())
    except claims.ClaimRefused as error:
        raise Conflict(str(error), error.why) from error
    body = msgspec.json.encode(Enrolled(robot.pk, brokers(request)))
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


@router.get(
    "/enrol/authority/{fingerprint}",
    response={200: None, 404: Problem, **ERRORS},
    summary="The certificate of the authority that a claim names",
    tags=["enrolment"],
    openapi_extra={"responses": {200: {"description": "OK", "content": {"application/x-pem-file": {"schema": {"type": "string"}}}}}},
)
@open_to("anybody")
def authority(request: HttpRequest, fingerprint: Fingerprint) -> HttpResponse:
    """As PEM. Whoever asks trusts nobody yet: they compare it with the fingerprint, and then begin anew."""
    _count(request)
    found = "" if "\x00" in fingerprint else claims.authority_of(fingerprint, now=timezone.now())
    if not found:
        raise Denied(404, "fingerprint: no open claim names such an authority: make a new claim and copy the whole line")
    return HttpResponse(found, content_type="application/x-pem-file")


@router.post(
    "/robots/{robot_id}/claims",
    auth=Asks(Action.CONFIGURE),
    response={201: ClaimMadeOut, 404: Problem, **ERRORS},
    summary="Make a claim with which a board takes this robot's place",
    tags=["enrolment"],
)
def claim_robot(request: HttpRequest, robot_id: RobotId, body: ClaimIn) -> Status[dict[str, Any]]:
    """Shown this once. Its earlier claims end; the secret that it has is good until the board comes in."""
    robot, now = need(asking(request), Action.CONFIGURE, robot_id), timezone.now()
    options: dict[str, Any] = {"actor": actor_of(request, asking(request)), "now": now}
    try:
        made = claims.claim_robot(robot, authority=_authority(request), life=timedelta(minutes=body.minutes), **options)
    except services.BadRobot as error:
        raise Wrong.said(str(error)) from error
    return Status(201, _made(made, request, now))


@router.get(
    "/robots/{robot_id}/claims",
    auth=Asks(Action.CONFIGURE),
    response={200: ClaimsOut, 404: Problem, **ERRORS},
    summary="Claims of a robot, the newest first",
    tags=["enrolment"],
)
def claims_of_robot(request: HttpRequest, robot_id: RobotId) -> dict[str, Any]:
    """Those of the last weeks, a hundred at most, without their words."""
    robot = need(asking(request), Action.CONFIGURE, robot_id)
    return {"items": _shown(list(Claim.objects.filter(robot=robot).order_by("-pk")[:100]), timezone.now()), "next": None}


@router.post(
    "/claims",
    auth=Asks(Action.CONFIGURE),
    response={201: ClaimMadeOut, 404: Problem, **ERRORS},
    summary="Make a claim of a group: boards that make robots of themselves",
    tags=["enrolment"],
)
def claim_group(request: HttpRequest, body: GroupClaimIn) -> Status[dict[str, Any]]:
    """For a production line: each board becomes `GROUP-SERIAL`."""
    caller, now = asking(request), timezone.now()
    team = adding.organisation_for(caller, body.organisation)
    options: dict[str, Any] = {"kind": body.kind, "site": site_of(team.pk, body.site), "authority": _authority(request), "now": now}
    try:
        made = claims.claim_group(
            team,
            body.group,
            serials=body.serials,
            most=body.most,
            life=timedelta(minutes=body.minutes),
            actor=actor_of(request, caller),
            **options,
        )
    except services.BadRobot as error:
        raise Wrong.said(str(error)) from error
    return Status(201, _made(made, request, now))


@router.get("/claims", auth=Asks(Action.CONFIGURE), response={200: ClaimsOut, **ERRORS}, summary="Open claims", tags=["enrolment"])
def open_claims(request: HttpRequest) -> dict[str, Any]:
    """Of your organisations, of robots and of groups; the newest hundred."""
    teams, now = organisations(asking(request), Action.CONFIGURE), timezone.now()
    found = Claim.objects.filter(organisation__in=teams, revoked_at=None, expires_at__gt=now).order_by("-pk")[:100]
    return {"items": _shown(list(found), now), "next": None}


@router.post(
    "/claims/{number}/revoke",
    auth=Asks(Action.CONFIGURE),
    response={200: ClaimsOut, 404: Problem, **ERRORS},
    summary="End a claim",
    tags=["enrolment"],
)
def revoke_claim(request: HttpRequest, number: Number) -> dict[str, Any]:
    """Nothing happens when it was over already. Robots that came in by it stay."""
    caller, now = asking(request), timezone.now()
    claim = Claim.objects.filter(pk=number, organisation__in=organisations(caller, Action.SEE)).first()
    if claim is None:
        raise Denied(404, f"number: there is no claim {number} that you may see")
    adding.organisation_for(caller, claim.organisation.slug)
    claims.revoke_claim(claim, actor=actor_of(request, caller), now=now)
    claim.refresh_from_db()
    return {"items": _shown([claim], now), "next": None}


def brokers(request: HttpRequest) -> list[str]:
    """Where the broker listens, for whoever came this way: behind the gateway it is also reached by the port that the board came by."""
    found = [one for one in (settings.ENV.robots_url or settings.ENV.broker_url).split(",") if one]
    if request.is_secure():
        found.append(f"wss://{request.get_host()}/mqtt")
    return list(dict.fromkeys(found))


def _count(request: HttpRequest) -> str:
    """Count one request that shows no key; its address.

    Raises:
        Wrong: 429, too many of them.
    """
    address, now_s = address_of(request), time.monotonic()
    if not (EACH.take(address, now_s) and ALL.take("", now_s)):
        raise Wrong(
            "requests", "too many", "2 a second from one address, 60 at once", "wait some seconds and send the same again", status=429
        )
    return address


def _server(request: HttpRequest) -> str:
    """The site's own address, by which boards come.

    Raises:
        Wrong: a board's secrets would travel in the open.
    """
    server = claim_lines.site_address(request.get_host(), settings.ENV.public_url, secure=request.is_secure())
    if not claim_lines.is_safe(server):
        raise Wrong("server", server, "boards enrol over TLS", "ask by https, or set CROODY_PUBLIC_URL to the site's https address")
    return server


def _authority(request: HttpRequest) -> str:
    return trust_anchor.of_site().authority if _server(request).startswith("https:") else ""


def _made(made: claims.Made, request: HttpRequest, now: datetime) -> dict[str, Any]:
    line = claim_lines.line(made, _server(request))
    return {**_shown([made.claim], now)[0], "line": line}


def _shown(found: list[Claim], now: datetime) -> list[dict[str, Any]]:
    counted = claims.counted(found)
    return [
        {
            "number": one.pk,
            "robot_id": one.robot_id,
            "group": one.group or None,
            "serials": one.serials or None,
            "most": one.most,
            "used": counted.get(one.pk, 0),
            "state": claims.state_of(one, counted.get(one.pk, 0), now),
            "created_at": one.created_at,
            "expires_at": one.expires_at,
            "made_by": one.made_by,
        }
        for one in found
    ]
