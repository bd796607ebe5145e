"""Middleware that looks at each answer and hands it on, in both of Django's ways to wait. Knows no page."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def handed_on(look: Callable[[HttpRequest, HttpResponseBase], HttpResponseBase], get_response: Sync | Async) -> Sync | Async:
    """`get_response` with `look` behind it, which gives the answer to send. It must not wait for anything."""
    if iscoroutinefunction(get_response):
        answer_later = cast(Async, get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            return look(request, await answer_later(request))

        return later
    answer_now = cast(Sync, get_response)

    def now(request: HttpRequest) -> HttpResponseBase:
        return look(request, answer_now(request))

    return now
