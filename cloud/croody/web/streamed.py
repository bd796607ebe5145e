"""A body that is made while it is sent, as the server that asks for it takes it. Knows nothing of what it holds."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

_T = TypeVar("_T", str, bytes)


def streamed(request: HttpRequest, pieces: Iterator[_T]) -> Any:
    """The same pieces. Django's types know only those of a server that has no event loop."""
    return _later(pieces) if isinstance(request, ASGIRequest) else pieces


async def _later(pieces: Iterator[_T]) -> AsyncIterator[_T]:
    """Asked for in the thread that has this request's connection to the database."""
    while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
        yield piece
