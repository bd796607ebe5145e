"""A robot's secret that was just made, for the minutes in which it is typed into the robot. Kept in one browser, never on the server.

The page that shows it can so be loaded again, in another language too. No script reads it, and a newer secret ends it.
"""

from typing import Final, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from croody.fleet.models import Credential
from croody.fleet.services import sha256_of

Response = TypeVar("Response", bound=HttpResponseBase)
MINUTES: Final = 15


def show(response: Response, robot_id: str, secret: str) -> Response:
    """Let this browser show the secret for a while."""
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(_name(), f"{robot_id}:{secret}", max_age=MINUTES * 60, secure=secure, httponly=True, samesite="Strict")
    return response


def of(request: HttpRequest, robot_id: str) -> str:
    """The secret to show; empty when this browser has none, or when it lets that robot in no more."""
    name, _colon, secret = request.COOKIES.get(_name(), "").partition(":")
    if name != robot_id or not secret:
        return ""
    return secret if Credential.objects.filter(robot_id=robot_id, sha256=sha256_of(secret)).exists() else ""


def _name() -> str:
    return "__Host-robot" if settings.SESSION_COOKIE_SECURE else "fresh-robot"
