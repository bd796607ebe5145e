"""A robot's claim that was just made, for the minutes in which it is good. Kept in one browser, never on the server, which has its hash.

The page that shows it can so be loaded again, in another language too. No script reads it, and a newer claim ends it.
"""

from typing import Final, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from croody.audit.actor import Actor
from croody.fleet import claim_lines, claims, trust_anchor
from croody.fleet.models import Claim, Robot
from croody_contract.claims import BadClaim, read

Response = TypeVar("Response", bound=HttpResponseBase)
MINUTES: Final = int(claims.LIFE.total_seconds() // 60)


def possible(request: HttpRequest) -> bool:
    """Say whether boards can enrol at the address by which this page was asked for."""
    return claim_lines.is_safe(_server(request))


def make(request: HttpRequest, response: Response, robot: Robot, actor: Actor) -> Response:
    """Make one, and let this browser show it.

    Raises:
        BadRobot: the robot was revoked.
    """
    return show(response, line_for(request, robot, actor))


def line_for(request: HttpRequest, robot: Robot, actor: Actor) -> str:
    """Make one; the line is told this once.

    Raises:
        BadRobot: the robot was revoked.
    """
    server = _server(request)
    authority = trust_anchor.of_site().authority if server.startswith("https:") else ""
    return claim_lines.line(claims.claim_robot(robot, authority=authority, actor=actor, now=timezone.now()), server)


def show(response: Response, line: str) -> Response:
    """Let this browser show it."""
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(_name(), line, max_age=MINUTES * 60, secure=secure, httponly=True, samesite="Strict")
    return response


def of(request: HttpRequest, robot_id: str) -> str:
    """The line to show; empty when this browser has none that still lets a board in."""
    line = request.COOKIES.get(_name(), "")
    try:
        said = read(line)
    except BadClaim:
        return ""
    known = Claim.objects.filter(sha256=said.token_sha256, robot=robot_id, revoked_at=None, expires_at__gt=timezone.now(), enrolments=None)
    return line if said.robot_id == robot_id and known.exists() else ""


def _server(request: HttpRequest) -> str:
    return claim_lines.site_address(request.get_host(), settings.ENV.public_url, secure=request.is_secure())


def _name() -> str:
    return "__Host-claim" if settings.SESSION_COOKIE_SECURE else "fresh-claim"
