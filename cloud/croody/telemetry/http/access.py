"""Who calls the telemetry API, and what they may do: the one place that says so. Knows requests, keys and the fleet.

No key at all is anonymous; a key that is nobody's is refused. What one may not know of does not exist for one (404).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from croody.accounts.models import Membership, Organisation
from croody.accounts.services import user_of_token
from croody.fleet import access as fleet
from croody.fleet.models import Robot
from croody.fleet.queries import robot_of_secret

Kind = Literal["ingest", "robot", "user", "bridge", "demo", "anonymous"]
_FORWARDED: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED")
_ACTS: Final = (Membership.Role.OPERATOR, Membership.Role.OWNER)


class Denied(Exception):
    """Refused, with the status to answer and a text for the client."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Caller:
    """`ingest` holds the shared token, `robot` a robot's secret, `user` a personal token; `demo` is anybody on this machine."""

    kind: Kind
    robot_id: str = ""
    user: User | None = None


ANONYMOUS: Final = Caller("anonymous")


def caller_of(request: HttpRequest) -> Caller:
    """Who sent this.

    Raises:
        Denied: 401, the key is nobody's.
    """
    key = request.headers.get("X-API-Key", "")
    if not key:
        return Caller("demo") if is_open_demo(request) else ANONYMOUS
    env = settings.ENV
    if _same(key, env.ingest_token):
        return Caller("ingest")
    if _same(key, env.bridge_token):
        return Caller("bridge")
    user = user_of_token(key)
    if user is not None:
        return Caller("user", user=user)
    robot = robot_of_secret(key, now=datetime.now(UTC))
    if robot is not None:
        return Caller("robot", robot_id=robot.robot_id)
    raise Denied(401, "X-API-Key: nobody's key: use the shared ingest token, a robot's secret or a personal token")


def is_open_demo(request: HttpRequest) -> bool:
    """Say whether this request needs no key: demo mode, no shared token set, and from this very machine.

    A page of another site that a browser here has open is not this machine's owner: its `Origin` gives it away.
    """
    env = settings.ENV
    return bool(env.demo and not env.ingest_token and is_local(request) and is_own_origin(request))


def is_local(request: HttpRequest) -> bool:
    """Say whether the request comes from this machine, not through a proxy that speaks for somebody else."""
    if any(request.META.get(name) for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def visible(caller: Caller) -> QuerySet[Robot]:
    """Robots this caller may know of."""
    match caller.kind:
        case "demo":
            return Robot.objects.filter(deleted_at=None)
        case "ingest":
            return Robot.objects.filter(deleted_at=None).filter(Q(shared=True) | Q(organisation=Organisation.objects.order_by("pk")[:1]))
        case "robot":
            return Robot.objects.filter(deleted_at=None).filter(Q(shared=True) | Q(pk=caller.robot_id))
        case "user":
            return fleet.visible_to(caller.user or AnonymousUser())
        case "bridge":
            return Robot.objects.none()
        case _:
            return fleet.visible_to(AnonymousUser())


def works_with(caller: Caller) -> QuerySet[Robot]:
    """Robots whose inner affairs (dead letters) are this caller's: not those that are merely shared with the public."""
    if caller.kind == "user":
        return fleet.of_organisations(caller.user or AnonymousUser())
    return visible(caller) if caller.kind in ("demo", "ingest") else Robot.objects.none()


def may_act(caller: Caller, robot: Robot) -> bool:
    """Say whether the caller may change something about a robot they work with."""
    if caller.kind in ("demo", "ingest"):
        return True
    if caller.kind != "user" or caller.user is None:
        return False
    if caller.user.is_superuser:
        return True
    return Membership.objects.filter(user=caller.user, organisation=robot.organisation_id, role__in=_ACTS).exists()


def require_bridge(request: HttpRequest) -> None:
    """Let only the bridge pass.

    Raises:
        Denied: 401.
    """
    if not _same(request.headers.get("X-API-Key", ""), settings.ENV.bridge_token):
        raise Denied(401, "X-API-Key: only the bridge's key (BRIDGE_TOKEN) opens this")


def _same(key: str, secret: str) -> bool:
    return bool(secret) and compare_digest(key.encode("utf-8", "surrogatepass"), secret.encode())


def is_own_origin(request: HttpRequest) -> bool:
    """Say whether no page of another site is behind this request."""
    origin = request.headers.get("Origin")
    if not origin or origin in settings.ENV.allowed_origins:
        return True
    return urlsplit(origin).netloc == request.get_host()
