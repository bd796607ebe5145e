"""The telemetry API as the bridge uses it: one connection kept alive. Knows HTTP, never what is in a body."""

import http.client
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

#: A telemetry API that does not answer within this is as good as gone, in seconds.
TIMEOUT_S: Final = 10.0
RELAY: Final = "/api/telemetry/bridge/relay"
OUTGOING: Final = "/api/telemetry/bridge/outgoing"
SECURITY: Final = "/api/telemetry/bridge/security"


class Unreachable(OSError):
    """No answer: refused, reset, timed out, or not HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes


class Api:
    """POSTs over one kept-alive connection. Not for use by two threads."""

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"CROODY_TELEMETRY_URL={url}: write http://HOST:PORT or https://HOST")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", "X-API-Key": token, "Accept": "application/json"}
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes, request_id: str = "") -> Reply:
        """Send one request; `request_id` is what both logs call it. A kept connection that the server closed is opened again, once.

        Raises:
            Unreachable: no answer.
        """
        reused = self._connection is not None
        headers = {**self._headers, "X-Request-ID": request_id} if request_id else self._headers
        try:
            return self._send(path, body, headers)
        except (ConnectionError, http.client.BadStatusLine, http.client.CannotSendRequest) as error:
            self.close()
            if not reused:
                raise Unreachable(str(error) or type(error).__name__) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error
        try:
            return self._send(path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self._timeout_s)
        self._connection.request("POST", self._prefix + path, body, headers)
        response = self._connection.getresponse()
        reply = Reply(response.status, response.read())
        if response.will_close:
            self.close()
        return reply
