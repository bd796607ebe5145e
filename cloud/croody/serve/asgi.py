"""ASGI entry of the role that holds streams open: `web`. Knows when the server starts and is to end, and gives streams few threads."""

import asyncio
import errno
import gc
import inspect
import itertools
import logging
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
_pages = get_asgi_application()

from croody.detection.incidents.refused import counts as refusals  # noqa: E402
from croody.live.hub import close_all  # noqa: E402  (needs the applications that the line above loads)
from croody_contract.limits import KIB  # noqa: E402

log = logging.getLogger("croody.serve")

#: Django gives every request a thread, and the thread a database connection, for as long as it is answered, and a stream is answered
#: for hours. They share these, which each needs for a moment at its beginning.
_STREAM_THREADS: Final = itertools.cycle([ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"streams-{n}") for n in range(8)])
#: No form of a page is larger; the gateway takes as much.
_BODY_BYTES: Final = 1100 * KIB
_TOO_LARGE: Final = b'{"detail": "body: larger than 1 MiB: send it in parts"}'
#: What the system says when it has no room for another connection.
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_QUIET_S: Final = 60.0
#: SO_LINGER: on, and for no time.
_AT_ONCE: Final = struct.pack("ii", 1, 0)
#: A reader that takes nothing for so long, in seconds, while something waits for it, is cut off.
STALLED_S: Final = 30.0


class _Streams(ASGIHandler):
    """Opens a stream in one turn of a thread. Django would wait for a thread twice for each middleware: with a thousand who come at
    once, as after a restart, that costs more than everything they are sent.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """One after the other, as under WSGI."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """All of it, up to the body."""
        response: HttpResponseBase = await sync_to_async(self.get_response)(request)
        return response


_streams = _Streams()

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Django for every request; the server's life is ours."""
    if scope["type"] != "lifespan":
        if scope["path"].endswith("/stream"):
            async with ThreadSensitiveContext(executor=next(_STREAM_THREADS)):
                await _stream(scope, receive, send)
        else:
            await _bounded(scope, receive, send)
        return
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            end_streams_on_signal(asyncio.get_running_loop())
            # Code stays for ever: whoever looks for garbage among a thousand streams need not look through it as well.
            refusals.start("web")
            gc.collect()
            gc.freeze()
            asyncio.get_running_loop().set_exception_handler(Complaints())
            await send({"type": "lifespan.startup.complete"})
        else:
            close_all()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _bounded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """A page, without a body above `_BODY_BYTES`: Django takes all of it from anybody, and puts it on the disk, before it looks at it."""
    taken = 0
    answered = False

    async def counted() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= _BODY_BYTES else {"type": "http.disconnect"}

    async def watched(message: Mapping[str, Any]) -> None:
        nonlocal answered
        answered = True
        await send(message)

    said = dict(scope["headers"]).get(b"content-length", b"")
    if not (said.isdigit() and int(said[:20]) > _BODY_BYTES):
        await _pages(scope, counted, watched)
        if answered or taken <= _BODY_BYTES:
            return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_TOO_LARGE)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})


async def _stream(scope: dict[str, Any], receive: Receive, send: Send, pages: Application = _streams, stalled_s: float = STALLED_S) -> None:
    """A stream that ends in the middle was cut off because its reader does not read: nothing more waits for it, its connection least."""
    complete = chunked = False
    # The server's own cycle of a request knows the connection; it would wait for ever until what it holds has been read.
    transport: Any = getattr(getattr(inspect.unwrap(send), "__self__", None), "transport", None)

    async def watched(message: Mapping[str, Any]) -> None:
        nonlocal complete, chunked
        if chunked and message.get("more_body") and _takes_all(transport) and not transport.is_closing():
            _write_chunk(transport, message["body"])
            return
        if _takes_all(transport):
            # It waits for nothing, and of a thousand such a tick each would begin and end a clock.
            await send(message)
        else:
            try:
                async with asyncio.timeout(stalled_s):
                    await send(message)
            except TimeoutError:
                _cut_off(transport)
        complete = message["type"] == "http.response.body" and not message.get("more_body")
        if message["type"] == "http.response.start":
            chunked = _is_chunked(scope, message)

    await pages(scope, receive, watched)
    if not complete:
        _cut_off(transport)
        await asyncio.sleep(0)


def _takes_all(transport: Any) -> bool:
    """Say whether nothing waits for this reader: the server writes what comes next at once."""
    return isinstance(transport, asyncio.WriteTransport) and not transport.get_write_buffer_size()


def _is_chunked(scope: Mapping[str, Any], start: Mapping[str, Any]) -> bool:
    """Say whether the server writes this answer's body in chunks: the one way of HTTP/1.1 for what has no length."""
    named = {bytes(name).lower() for name, _ in start.get("headers", ())}
    return scope.get("http_version") == "1.1" and scope.get("method") == "GET" and not named & {b"content-length", b"transfer-encoding"}


def _write_chunk(transport: Any, body: bytes) -> None:
    """A third of what a tick cost a thousand streams was the server's own account of each chunk, of which it keeps nothing."""
    if body:
        transport.write(b"%x\r\n%b\r\n" % (len(body), body))


def _cut_off(transport: Any) -> None:
    """End a connection whose reader does not read, and let the kernel throw away the megabytes that it still holds for it."""
    if isinstance(transport, asyncio.Transport):
        connection = transport.get_extra_info("socket")
        # A connection that is closed already has none, or one that takes no options.
        if connection is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        transport.abort()


class Complaints:
    """What the event loop says of itself. Of connections that it cannot take, a line a minute: it tells of each, with a traceback."""

    def __init__(self) -> None:
        self._said_at: float | None = None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """See `loop.set_exception_handler`."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _NO_ROOM):
            loop.default_exception_handler(context)
        elif self._said_at is None or loop.time() - self._said_at > _QUIET_S:
            self._said_at = loop.time()
            log.error("connections cannot be taken now: %s; raise the limit of open files", error.strerror)


def end_streams_on_signal(loop: asyncio.AbstractEventLoop) -> None:
    """Put ourselves before the server's own handlers: it waits for open answers, and a stream would never end by itself."""
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def handle(got: int, frame: FrameType | None, before: Any = before) -> None:
            loop.call_soon_threadsafe(close_all)
            if callable(before):
                before(got, frame)

        try:
            signal.signal(number, handle)
        except ValueError:  # Not in the main thread, as in a test: there the server is ended by hand.
            return
