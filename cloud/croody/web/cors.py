"""Cross-origin answers for the origins in ALLOWED_ORIGINS, as a middleware of the API roles. Never `*`, never cookies."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_METHODS: Final = "GET, POST, OPTIONS"
_HEADERS: Final = "Content-Type, X-API-Key, Last-Event-ID"
_MAX_AGE_S: Final = "600"


class CorsMiddleware:
    """Answers preflights itself and marks every other answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        origin = request.headers.get("Origin", "")
        allowed = bool(origin) and origin in settings.ENV.allowed_origins
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if preflight else self._get_response(request)
        patch_vary_headers(response, ["Origin"])
        if allowed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "Link, Retry-After"
            if preflight:
                response["Access-Control-Allow-Methods"] = _METHODS
                response["Access-Control-Allow-Headers"] = _HEADERS
                response["Access-Control-Max-Age"] = _MAX_AGE_S
        return response
