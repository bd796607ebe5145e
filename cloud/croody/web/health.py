"""`/healthz`: this process answers. Asks nobody: a lost database must not make a supervisor restart the web.

It is a middleware near the top, so that health waits neither for a thread nor for whatever pages are doing. The API roles answer
`/healthz` with `healthz`. `/health/` is what scripts of the earlier system ask.
"""

import socket
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import version
from typing import Final, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

PATH: Final = "/healthz"
#: The version of the part that answers, for whoever looks after all of them.
VERSION: Final = "X-Croody-Version"
#: Names the one of several that is about to be replaced: it says so, and the gateway passes it over (see ops/rolling.sh).
LEAVING: Final = "X-Leaving"
Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def answer_health(get_response: Sync | Async) -> Sync | Async:
    """Middleware: answers `/healthz`, lets everything else pass."""
    if iscoroutinefunction(get_response):
        answer_later = cast(Async, get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            return healthz(request) if request.path == PATH else await answer_later(request)

        return later
    answer_now = cast(Sync, get_response)

    def now(request: HttpRequest) -> HttpResponseBase:
        return healthz(request) if request.path == PATH else answer_now(request)

    return now


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers; 503 for one that was told that it leaves, which answers everything else as before."""
    if request.headers.get(LEAVING) == socket.gethostname():
        return JsonResponse({"status": "leaving"}, status=503)
    return JsonResponse({"status": "ok"}, headers={VERSION: ours()})


@cache
def ours() -> str:
    """The version of this process."""
    return version("croody")


def earlier_health(_request: HttpRequest) -> JsonResponse:
    """The same in the earlier system's words, with the version."""
    return JsonResponse({"status": "healthy", "service": "croody", "version": ours()})
