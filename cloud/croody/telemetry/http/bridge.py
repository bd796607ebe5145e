"""What the bridge and the demo's simulator ask of the telemetry API. Not part of the public documentation."""

import secrets
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from croody.accounts.caller import Caller, caller_of, is_open_demo
from croody.accounts.demo import ORGANISATION
from croody.accounts.models import Organisation
from croody.accounts.rules import open_to
from croody.commands import services as commands
from croody.fleet import services as fleet
from croody.fleet.models import Site
from croody.liveness import listening
from croody.telemetry.http.schemas import DemoRobots, DemoRobotsOut
from croody.telemetry.ingest import services
from croody.web.body import read_body
from croody.web.refusals import Denied
from croody_contract.limits import MAX_DECOMPRESSED_BYTES
from croody_contract.messages import Refused
from croody_contract.relay import Due, decode_asks, decode_relay

router = Router()
#: One publish of records may unpack to this much, and letters travel in base64 beside it, in bytes.
MAX_RELAY_BYTES: Final = 2 * MAX_DECOMPRESSED_BYTES
_ASKS_BYTES: Final = 4096
_MOST_DEMO_ROBOTS: Final = 500
_PREFIX_CHARS: Final = 40


@open_to("bridge")
def bridge_alone(request: HttpRequest) -> Caller:
    """Let only the bridge pass.

    Raises:
        Denied: 401.
    """
    caller = caller_of(request)
    if caller.service != "bridge":
        raise Denied(401, "X-API-Key: only the bridge's key (BRIDGE_TOKEN) opens this")
    return caller


@router.post("/bridge/relay", auth=bridge_alone, include_in_schema=False)
def relay(request: HttpRequest) -> HttpResponse:
    """Everything the bridge had queued -> what one commit accounted for. An error says that nothing was done."""
    try:
        body = decode_relay(read_body(request, MAX_RELAY_BYTES))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError) as error:
        raise Refused("bad_value", f"relay: {error}") from error
    relayed = services.ingest_relay(body, now=datetime.now(UTC))
    return HttpResponse(msgspec.json.encode(relayed), content_type="application/json")


@router.post("/bridge/outgoing", auth=bridge_alone, include_in_schema=False)
def outgoing(request: HttpRequest) -> HttpResponse:
    """Rows to publish now; each is marked as sent."""
    now = datetime.now(UTC)
    # A bridge asks only while it hears the broker.
    asks = decode_asks(read_body(request, _ASKS_BYTES))
    listening.note(now, version=asks.version, waiting=asks.waiting)
    rows = commands.claim_due(now)
    return HttpResponse(msgspec.json.encode(Due(rows=rows, next_s=commands.POLL_S)), content_type="application/json")


@router.post("/demo/robots", response=DemoRobotsOut, include_in_schema=False)
@open_to("demo")
def demo_robots(request: HttpRequest, body: DemoRobots) -> dict[str, Any]:
    """Robots for a simulator that was started without credentials: only in the demo, only from this machine."""
    if not is_open_demo(request):
        raise Denied(404, "there is no such thing here: make robots with croody robot add")
    if not 1 <= body.count <= _MOST_DEMO_ROBOTS:
        raise Refused("out_of_range", f"count: {body.count} robots at once, use 1 to {_MOST_DEMO_ROBOTS}")
    if not 1 <= len(body.prefix) <= _PREFIX_CHARS or not 1 <= len(body.kind) <= 32 or not body.kind.isprintable():
        raise Refused("bad_value", f"prefix, kind: use 1 to {_PREFIX_CHARS} and 1 to 32 characters")
    name, slug = ORGANISATION
    organisation, _made = Organisation.objects.get_or_create(slug=slug, defaults={"name": name})
    site = Site.objects.filter(organisation=organisation).order_by("pk").first()
    # A group of its own: two simulators that start at once never meet.
    group = f"{body.prefix}-{secrets.token_hex(3)}"
    width = len(str(body.count))
    robots = []
    try:
        for number in range(1, body.count + 1):
            robot_id = f"{group}-{number:0{width}d}"
            _robot, secret = fleet.add_robot(
                robot_id, organisation=organisation, site=site, kind=body.kind, shared=True, borrowed=not body.keep
            )
            robots.append({"robot_id": robot_id, "secret": secret})
    except fleet.BadRobot as error:
        raise Refused("bad_value", f"prefix: {error}") from error
    return {"robots": robots}
