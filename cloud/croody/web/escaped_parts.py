"""Parts of an address as they were sent: a name with a slash in it is one part. Knows the API of v1 alone.

A server writes out what stands escaped before anybody looks at it, and `/robots/line%2F3` becomes two parts. What it was sent is still
told; the slash, and the sign that escapes, are escaped once more in the path that is looked up, and who takes the
name undoes it.
"""

from typing import Any, Final
from urllib.parse import unquote

from django.http import HttpRequest

from croody.web.answers import Steps, middleware
from croody.web.converters import as_one_part

_BELOW: Final = "/api/v1/"


@middleware
def keep_escaped_parts(request: HttpRequest) -> Steps:
    """Before any that reads the path."""
    _keep(request)
    return (yield)


def _keep(request: HttpRequest) -> None:
    if _BELOW not in request.path_info:
        return
    sent = _as_sent(request).partition("?")[0]
    # Only what is the very path that the server wrote out: a proxy that rewrites addresses is believed, as ever.
    if "%" in sent and unquote(sent) == request.path_info:
        request.path = request.path_info = "/".join(as_one_part(unquote(part)) for part in sent.split("/"))


def _as_sent(request: HttpRequest) -> str:
    scope: dict[str, Any] = getattr(request, "scope", {})
    return scope["raw_path"].decode("latin-1") if scope.get("raw_path") else str(request.META.get("RAW_URI", ""))
