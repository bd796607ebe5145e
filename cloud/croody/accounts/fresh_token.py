"""A token or invitation that was just made, for the minutes in which it is read. Kept in its maker's browser, never on the server.

The page that shows it can so be loaded again, and in another language. Nobody else's browser has it, and no script reads it.
"""

from collections.abc import Collection
from typing import Final, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from croody.accounts.services import sha256_of, token_of

Response = TypeVar("Response", bound=HttpResponseBase)
MINUTES: Final = 5


def show(response: Response, secret: str) -> Response:
    """Let this browser show the token for a while."""
    response.set_cookie(_name(), secret, max_age=MINUTES * 60, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Strict")
    return response


def of(request: HttpRequest, user: User) -> str:
    """The token to show; empty when there is none, when it works no more, or when it is somebody else's."""
    secret = request.COOKIES.get(_name(), "")
    token = token_of(user) if secret else None
    return secret if token is not None and token.sha256 == sha256_of(secret) else ""


def secret_of(request: HttpRequest, digests: Collection[str]) -> str:
    """The secret to show, when it is one of these; empty otherwise. Whose they are the page has asked already."""
    secret = request.COOKIES.get(_name(), "")
    return secret if secret and sha256_of(secret) in digests else ""


def forget(response: Response) -> Response:
    """Show it no longer."""
    response.delete_cookie(_name(), samesite="Strict")
    return response


def _name() -> str:
    return "__Host-fresh" if settings.SESSION_COOKIE_SECURE else "fresh"
