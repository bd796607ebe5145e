"""One line a request in the log of an API role, with the gateway's request id. Knows gunicorn's logger and nothing of Croody's code.

Left out while all is well: health checks, and the bridge, which calls several times a second.
"""

from datetime import timedelta
from typing import Any, Final

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

_HEALTH: Final = ("/healthz", "/api/telemetry/healthz")
_ASKED_FOR_EVER: Final = "/api/telemetry/bridge/outgoing"
_QUIET: Final = (*_HEALTH, "/api/telemetry/bridge/")
_QUIET_WHEN_TRACED: Final = (*_HEALTH, _ASKED_FOR_EVER)


class AccessLog(Logger):  # type: ignore[misc]
    """`gunicorn --logger-class croody.serve.access_log.AccessLog`."""

    quiet = _QUIET

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write the line, or do not."""
        if not is_quiet(str(environ.get("PATH_INFO", "")), int(resp.status_code), self.quiet):
            super().access(resp, req, environ, request_time)


class TracingAccessLog(AccessLog):
    """With every relay of the bridge: CROODY_TRACE=1."""

    quiet = _QUIET_WHEN_TRACED


def is_quiet(path: str, status: int, quiet: tuple[str, ...] = _QUIET) -> bool:
    """Say whether nobody needs to read of this request."""
    return status < 400 and path.startswith(quiet)
