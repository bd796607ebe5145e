"""The body of a request as bytes, never more than is allowed. Knows Django's request, judges no content."""

from typing import Any, Final

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from croody.web.refusals import Denied
from croody_contract.limits import MAX_BODY_BYTES

#: Of a body that is too large, so much is still read before it is refused.
_AWAY_BYTES: Final = 32 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024


def read_body(request: HttpRequest, most: int = MAX_BODY_BYTES) -> bytes:
    """All of the body, whatever `Content-Type` says: old clients send JSON as anything.

    Raises:
        Denied: 413 above `most` bytes, 400 when the client went away.
    """
    said = str(request.META.get("CONTENT_LENGTH") or "0")
    if said.isdecimal() and int(said[:20]) > most:
        _read_away(request)
        raise Denied(413, f"body: {said[:20]} bytes, at most {most}")
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    source = request.META["wsgi.input"] if chunked and "wsgi.input" in request.META else request
    try:
        data: bytes = source.read(most + 1)
    except (UnreadablePostError, OSError) as error:
        raise Denied(400, f"body: it ended early: {error}") from error
    if len(data) > most:
        _read_away(source)
        raise Denied(413, f"body: more than {most} bytes")
    return data


def _read_away(source: Any) -> None:
    """Take what still comes, within reason: who is refused while they send finds the connection closed, and never reads why."""
    try:
        for _ in range(_AWAY_BYTES // _PIECE_BYTES):
            if not source.read(_PIECE_BYTES):
                return
    except (UnreadablePostError, OSError):
        return
