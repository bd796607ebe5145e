"""Refusals of the APIs that nobody worded for a program: wrong method, no such address, unreadable request, failure.

Every address below `/api/` answers `{"detail": ...}`, in the web as in the roles that serve nothing else.
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from croody.web.answers import Steps, middleware

#: Where the API of a role is described; the web has addresses of both.
_DOCS: Final = {"telemetry": "/api/telemetry/docs", "ids": "/api/ids/docs"}
#: Below it a refusal has a code, too: see `api.errors`.
_CODED: Final = "/api/v1/"
_LONGEST_SHOWN: Final = 200


class Denied(Exception):
    """Refused, with the status to answer and a text for the client."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@middleware
def speak_json(request: HttpRequest) -> Steps:
    """Gives refusals that are no JSON yet their sentence."""
    return _worded(request, (yield))


def bad_request(request: HttpRequest, exception: object = None) -> JsonResponse:
    """400, as Django's `handler400`."""
    return _refusal("the request cannot be read: look at its Host header and its address", 400)


def not_found(request: HttpRequest, exception: object = None) -> JsonResponse:
    """404, as Django's `handler404`."""
    docs = _DOCS.get(settings.ENV.role, " and ".join(_DOCS.values()))
    return _refusal(f"there is nothing at {request.path[:_LONGEST_SHOWN]}: see {docs}", 404)


def failed(request: HttpRequest, exception: object = None) -> JsonResponse:
    """500, as Django's `handler500`."""
    return _refusal("something failed here; the log says what", 500)


def _refusal(detail: str, status: int) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)


def _worded(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    mute = response.status_code in _WORDED and not response.headers.get("Content-Type", "").startswith("application/json")
    if not mute or not request.path_info.startswith("/api/"):
        return response
    return _WORDED[response.status_code](request, response)


def _wrong_method(request: HttpRequest, response: HttpResponseBase) -> JsonResponse:
    allowed = response.headers["Allow"]
    detail = f"{request.path[:_LONGEST_SHOWN]} does not take {str(request.method)[:16]}: use {allowed.replace(', ', ' or ')}"
    code = {"code": "wrong_method"} if request.path_info.startswith(_CODED) else {}
    return JsonResponse({"detail": detail} | code, status=405, headers={"Allow": allowed})


_WORDED: Final[dict[int, Callable[..., JsonResponse]]] = {400: bad_request, 404: not_found, 405: _wrong_method, 500: failed}
