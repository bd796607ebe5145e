"""A middleware is written once: the same steps in both of Django's ways to wait."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from croody.web.answers import Steps, middleware

ended: list[str] = []


@middleware
def marked(request: HttpRequest) -> Steps:
    """Answers `/mine` itself, and marks all others."""
    if request.path == "/mine":
        return HttpResponse("mine")
    try:
        response = yield
        response["X-Marked"] = "yes"
        return response
    finally:
        ended.append(request.path)


def _now(view: Callable[[HttpRequest], HttpResponseBase], request: HttpRequest) -> HttpResponseBase:
    answer: Any = marked(view)
    return answer(request)


def _later(view: Callable[[HttpRequest], HttpResponseBase], request: HttpRequest) -> HttpResponseBase:
    async def later(request: HttpRequest) -> HttpResponseBase:
        await asyncio.sleep(0)
        return view(request)

    answer: Any = marked(later)
    return asyncio.run(answer(request))


@pytest.fixture(params=[_now, _later], ids=["now", "later"])
def ask(request: pytest.FixtureRequest) -> Callable[..., HttpResponseBase]:
    ended.clear()
    return request.param


def _at(path: str) -> HttpRequest:
    request = HttpRequest()
    request.path = path
    return request


def test_it_has_the_answer_in_its_hands(ask: Callable[..., HttpResponseBase]):
    assert ask(lambda request: HttpResponse("page"), _at("/page"))["X-Marked"] == "yes"
    assert ended == ["/page"]


def test_without_a_yield_nobody_else_is_asked(ask: Callable[..., HttpResponseBase]):
    def never(request: HttpRequest) -> HttpResponseBase:
        raise AssertionError("asked")

    assert ask(never, _at("/mine")).getvalue() == b"mine"


def test_its_last_step_is_taken_where_what_comes_next_fails(ask: Callable[..., HttpResponseBase]):
    def fails(request: HttpRequest) -> HttpResponseBase:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(fails, _at("/page"))
    assert ended == ["/page"]
