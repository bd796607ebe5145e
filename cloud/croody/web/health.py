"""`/healthz`: this process answers. Asks nobody: a lost database must not make a supervisor restart the web.

It is a middleware near the top, so that health waits neither for a thread nor for whatever pages are doing. The API roles answer
`/healthz` with `healthz`. `/health/` is what scripts of the earlier system ask.
"""

import socket
from functools import cache
from importlib.metadata import version
from typing import Final

from django.http import HttpRequest, JsonResponse

from croody.web.answers import Steps, middleware

PATH: Final = "/healthz"
#: The version of the part that answers, for whoever looks after all of them.
VERSION: Final = "X-Croody-Version"
#: Names the one of several that is about to be replaced: it says so, and the gateway passes it over (see ops/rolling.sh).
LEAVING: Final = "X-Leaving"


@middleware
def answer_health(request: HttpRequest) -> Steps:
    """Answers `/healthz`, lets everything else pass."""
    return healthz(request) if request.path == PATH else (yield)


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers; 503 for one that was told that it leaves, which answers everything else as before."""
    if request.headers.get(LEAVING) == socket.gethostname():
        return JsonResponse({"status": "leaving"}, status=503)
    return JsonResponse({"status": "ok"}, headers={VERSION: ours()})


@cache
def ours() -> str:
    """The version of this process."""
    return version("croody")


def earlier_health(_request: HttpRequest) -> JsonResponse:
    """The same in the earlier system's words, with the version."""
    return JsonResponse({"status": "healthy", "service": "croody", "version": ours()})
