"""The gateway's id of the request at hand, in every line that is logged while it is answered. Knows no page."""

import logging
import re
import secrets
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest

from croody.web.answers import Steps, middleware

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


@middleware
def remember_request_id(request: HttpRequest) -> Steps:
    """Around everything that may log."""
    _current.set(clean(request.headers.get("X-Request-ID", "")))
    return (yield)


class WithRequestId(logging.Filter):
    """Gives each record `request_id`: ` request_id=...` while a request with one is answered, otherwise nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        found = _current.get()
        record.request_id = f" request_id={found}" if found else ""
        return True
