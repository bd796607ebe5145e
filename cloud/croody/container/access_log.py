"""One line a request in the log of an API role, with the gateway's request id. Knows gunicorn's logger and nothing of Croody's code.

Left out while all is well: health checks, and the bridge, which calls several times a second.
"""

from datetime import timedelta
from typing import Any, Final

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

_QUIET: Final = ("/healthz", "/api/telemetry/healthz", "/api/telemetry/bridge/")


class AccessLog(Logger):  # type: ignore[misc]
    """`gunicorn --logger-class croody.container.access_log.AccessLog`."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write the line, or do not."""
        if not is_quiet(str(environ.get("PATH_INFO", "")), int(resp.status_code)):
            super().access(resp, req, environ, request_time)


def is_quiet(path: str, status: int) -> bool:
    """Say whether nobody needs to read of this request."""
    return status < 400 and path.startswith(_QUIET)
