"""HEAD wherever GET is: what GET would answer, without its body. Knows no page and no API."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def answer_head(get_response: Sync | Async) -> Sync | Async:
    """Middleware: views see GET. A stream is closed before it begins."""
    if iscoroutinefunction(get_response):
        answer_later = cast(Async, get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            if request.method != "HEAD":
                return await answer_later(request)
            request.method = "GET"
            return _without_body(await answer_later(request))

        return later
    answer_now = cast(Sync, get_response)

    def now(request: HttpRequest) -> HttpResponseBase:
        if request.method != "HEAD":
            return answer_now(request)
        request.method = "GET"
        return _without_body(answer_now(request))

    return now


def _without_body(response: HttpResponseBase) -> HttpResponse:
    bare = HttpResponse(status=response.status_code, headers=dict(response.items()))
    bare.cookies = response.cookies
    if isinstance(response, HttpResponse):
        bare.headers.setdefault("Content-Length", str(len(response.content)))
    response.close()
    return bare
