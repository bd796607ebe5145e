"""`/healthz`: this process answers. Asks nobody: a lost database must not make a supervisor restart the web.

It is a middleware near the top, so that health waits neither for a thread nor for whatever pages are doing.
"""

from collections.abc import Awaitable, Callable
from typing import Final, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

PATH: Final = "/healthz"
Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def answer_health(get_response: Sync | Async) -> Sync | Async:
    """Middleware: answers `/healthz`, lets everything else pass."""
    if iscoroutinefunction(get_response):
        answer_later = cast(Async, get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            return _healthy() if request.path == PATH else await answer_later(request)

        return later
    answer_now = cast(Sync, get_response)

    def now(request: HttpRequest) -> HttpResponseBase:
        return _healthy() if request.path == PATH else answer_now(request)

    return now


def _healthy() -> JsonResponse:
    return JsonResponse({"status": "ok"})
