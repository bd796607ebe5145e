"""Middleware that is written once for both of Django's ways to wait. Knows no page."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from functools import wraps
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
#: What a middleware does with one request: what is before its `yield`, then whatever comes next is asked and its answer given to the
#: `yield`; what is returned is sent. Without a `yield` nobody else is asked. It must not wait for anything.
Steps = Generator[None, HttpResponseBase, HttpResponseBase]


def middleware(of: Callable[[HttpRequest], Steps]) -> Callable[[Sync | Async], Sync | Async]:
    """Django's middleware from the steps for one request. Where what comes next fails, the steps end at their `yield`."""

    @sync_and_async_middleware
    @wraps(of)
    def wrapped(get_response: Sync | Async) -> Sync | Async:
        if iscoroutinefunction(get_response):
            answer_later = cast(Async, get_response)

            async def later(request: HttpRequest) -> HttpResponseBase:
                steps = of(request)
                if (early := _begun(steps)) is not None:
                    return early
                with closing(steps):
                    return _ended(steps, await answer_later(request))

            return later
        answer_now = cast(Sync, get_response)

        def now(request: HttpRequest) -> HttpResponseBase:
            steps = of(request)
            if (early := _begun(steps)) is not None:
                return early
            with closing(steps):
                return _ended(steps, answer_now(request))

        return now

    return wrapped


def _begun(steps: Steps) -> HttpResponseBase | None:
    try:
        next(steps)
    except StopIteration as stopped:
        return cast(HttpResponseBase, stopped.value)
    return None


def _ended(steps: Steps, answer: HttpResponseBase) -> HttpResponseBase:
    try:
        steps.send(answer)
    except StopIteration as stopped:
        return cast(HttpResponseBase, stopped.value)
    raise RuntimeError("a middleware yields once")
