"""The gateway's id of the request at hand, in every line that is logged while it is answered. Knows no page."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Final, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

#: The gateway and the bridge send 32 hexadecimal digits; nobody else may write what they like into the log.
_GOOD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def clean(value: str) -> str:
    """The id when it has the form of one, otherwise nothing."""
    return value if _GOOD.fullmatch(value) else ""


def current() -> str:
    """The id of the request at hand; empty where it has none, or there is no request."""
    return _current.get()


def to_show() -> str:
    """The id of the request at hand for its reader: the gateway's, else one made now, which the lines to come have as well."""
    if not _current.get():
        _current.set(secrets.token_hex(16))
    return _current.get()


@sync_and_async_middleware
def remember_request_id(get_response: Sync | Async) -> Sync | Async:
    """Middleware, around everything that may log."""
    if iscoroutinefunction(get_response):
        answer_later = cast(Async, get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            _current.set(clean(request.headers.get("X-Request-ID", "")))
            return await answer_later(request)

        return later
    answer_now = cast(Sync, get_response)

    def now(request: HttpRequest) -> HttpResponseBase:
        _current.set(clean(request.headers.get("X-Request-ID", "")))
        return answer_now(request)

    return now


class WithRequestId(logging.Filter):
    """Gives each record `request_id`: ` request_id=...` while a request with one is answered, otherwise nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        found = _current.get()
        record.request_id = f" request_id={found}" if found else ""
        return True
