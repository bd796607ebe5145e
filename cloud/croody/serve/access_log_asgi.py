"""The web role with one line a request in its log, as behind a gateway: `python -m croody.serve --access-log`."""

import functools
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from croody.serve.asgi import Receive, Send
from croody.serve.asgi import application as pages
from croody.web.client_address import visitor
from croody.web.masking import masked
from croody.web.request_id import clean

log = logging.getLogger("croody.access")
#: Nobody needs to read of these while all is well.
_QUIET: Final = ("/healthz", "/static/")


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer, then write the line; a stream's line comes when it ends."""
    if scope["type"] != "http":
        await pages(scope, receive, send)
        return
    began = time.monotonic()
    status = 0

    @functools.wraps(send)
    async def watched(message: Mapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    try:
        await pages(scope, receive, watched)
    finally:
        if not is_quiet(scope["path"], status):
            log.info("%s", line(scope, status, time.monotonic() - began))


def is_quiet(path: str, status: int) -> bool:
    """Say whether nobody needs to read of this request."""
    return 0 < status < 400 and path.startswith(_QUIET)


def line(scope: Mapping[str, Any], status: int, took_s: float) -> str:
    """One request in the order of the API roles' lines; status 0: it went away before there was an answer."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    remote = (scope.get("client") or ("-",))[0]
    client = visitor(remote, headers.get("x-forwarded-for", ""), settings.ENV.trusted_proxies) or remote
    request_id = clean(headers.get("x-request-id", "")) or "-"
    return f"{client} {scope['method']} {masked(scope['path'])} {status} {took_s * 1000:.0f}ms request_id={request_id}"
