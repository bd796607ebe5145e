"""Who asks `/api/v1/`: a key in `X-API-Key` or `Authorization: Bearer`, or the session of a page. Every operation asks here first."""

from typing import Final

from django.http import HttpRequest
from ninja.utils import check_csrf

from croody.accounts.caller import TELEMETRY, Caller, Scope, caller_of
from croody.api import rates
from croody.api.errors import Wrong
from croody.fleet.access import Action, check
from croody.web.refusals import Denied

#: As the telemetry API's, and a bearer's key opens it, too.
DOOR: Final = TELEMETRY._replace(bearer=True)
SCHEMES: Final = {
    "X-API-Key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Writes need the header X-CSRFToken, too"},
}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Asks:
    """The rule of one operation (`auth=Asks(Action.SEE)`): asked before the view, whose caller is `request.auth`."""

    openapi_name = "X-API-Key"
    openapi_security_schema: Final = SCHEMES["X-API-Key"]

    def __init__(self, action: Action) -> None:
        self.rule = action

    def __call__(self, request: HttpRequest) -> Caller:
        """Who asks.

        Raises:
            Denied: 401 or 403, whichever robot it is about.
            Wrong: 403, a session's write without the page's own word; 429, too many at once.
        """
        caller = _caller(request)
        check(caller, self.rule)
        rates.count(caller, request)
        return caller


class AsksPerson:
    """The rule of an operation on what a person has: signed in, or by a key with this scope, theirs or a service's."""

    openapi_name = "X-API-Key"
    openapi_security_schema: Final = SCHEMES["X-API-Key"]
    rule: Final = "keys"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __call__(self, request: HttpRequest) -> Caller:
        """Who asks.

        Raises:
            Denied: 401, nobody whom the site knows by name; 403, a key that was not made for it.
            Wrong: as of `Asks`.
        """
        caller = _caller(request)
        if caller.kind not in {"person", "token"}:
            raise Denied(401, "X-API-Key: needed for this: a personal token")
        if self._scope not in caller.scopes:
            raise Denied(403, f"X-API-Key: this token lacks the scope {self._scope.value!r}: make a token that has it, on the profile page")
        rates.count(caller, request)
        return caller


def _caller(request: HttpRequest) -> Caller:
    """Who asks, by key or session.

    Raises:
        Denied: 401, the key is nobody's. Wrong: 403, a session's write without the page's own word.
    """
    caller = caller_of(request, DOOR)
    if caller.kind == "person" and request.method not in _SAFE and not _from_own_page(request):
        raise Wrong(
            "X-CSRFToken",
            request.headers.get("X-CSRFToken", ""),
            "a write with a session's cookie shows the page's token",
            "send the value of the cookie csrftoken in this header, or use a personal token",
            status=403,
            code="csrf",
        )
    return caller


def _from_own_page(request: HttpRequest) -> bool:
    """Say whether the page's token came with it. Read as a form to look for it, a body could not be read again."""
    return request.body is not None and check_csrf(request) is None
