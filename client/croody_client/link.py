"""One server over HTTP: asks, asks again where that is safe, and says what was refused. Knows no subject of the API."""

import http.client
import json
import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from croody_client.errors import ApiError, Away

#: Answers that say that nothing was done: the same may be sent again, an act too.
_NOTHING_DONE: Final = frozenset({429, 503})
_GATEWAY: Final = frozenset({502, 504})
#: Seconds before the first and before any further try; a server that says `Retry-After` is believed up to the last.
_FIRST_S: Final = 0.3
_LONGEST_S: Final = 20.0
Values = Mapping[str, Any]


class _NoWayRound(HTTPRedirectHandler):
    """A redirect is none of Croody's answers, and a key is not carried to another address."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""
        return


class Link:
    """`tries`: how often a question is asked at most; `sleep` is given by tests."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float,
        tries: int,
        verify: ssl.SSLContext | None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"url: {url!r}: write the site's address, such as https://SITE")
        self._root = url.rstrip("/") + "/api/v1"
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._timeout_s, self._tries, self._sleep = timeout_s, tries, sleep
        handlers = [HTTPSHandler(context=verify)] if verify is not None else []
        self._opener: OpenerDirector = build_opener(_NoWayRound, *handlers)

    def ask(self, path: str, values: Values | None = None) -> Any:
        """The JSON of a question.

        Raises:
            ApiError: refused. Away: nobody answered.
        """
        return json.loads(self._said("GET", path, values, None))

    def act(self, method: str, path: str, body: Values | None = None) -> Any:
        """Do something, and give what is answered; never sent again where it may have been done.

        Raises:
            ApiError: refused. Away: nobody answered, so that nobody knows whether it was done.
        """
        return json.loads(self._said(method, path, None, {} if body is None else body))

    def open(self, path: str, values: Values) -> http.client.HTTPResponse:
        """An answer to read piece by piece; `close` it.

        Raises:
            ApiError, Away.
        """
        return self._answer("GET", path, values, None)

    def pause(self, tried: int) -> None:
        """Wait before the next try."""
        self._sleep(min(_LONGEST_S, _FIRST_S * 2**tried) * (0.5 + random.random() / 2))

    @property
    def tries(self) -> int:
        """How often at most."""
        return self._tries

    def _said(self, method: str, path: str, values: Values | None, body: Values | None) -> bytes:
        for tried in range(self._tries):
            try:
                with self._answer(method, path, values, body) as answer:
                    return answer.read()
            except (http.client.HTTPException, OSError) as error:
                if method != "GET" or tried + 1 >= self._tries:
                    raise Away(f"{method} {path}: the answer broke off: {error!r}") from error
                self.pause(tried)
        raise AssertionError("unreachable")

    def _answer(self, method: str, path: str, values: Values | None, body: Values | None) -> http.client.HTTPResponse:
        tried = 0
        while True:
            request = Request(self._address(path, values), method=method, headers=self._headers)
            if body is not None:
                request.data = json.dumps(body).encode()
                request.add_header("Content-Type", "application/json")
            try:
                answer: http.client.HTTPResponse = self._opener.open(request, timeout=self._timeout_s)
                return answer
            except HTTPError as error:
                with error:
                    refused = ApiError(error.code, error.read(65536))
                    again_s = _seconds(error.headers.get("Retry-After"))
                safe = error.code in _NOTHING_DONE or (method == "GET" and error.code in _GATEWAY)
                if not safe or tried + 1 >= self._tries:
                    raise refused from error
                self._sleep(again_s) if again_s is not None else self.pause(tried)
            except (URLError, http.client.HTTPException, OSError) as error:
                if not (method == "GET" or _unheard(error)) or tried + 1 >= self._tries:
                    raise Away(f"{method} {self._root}{path}: {getattr(error, 'reason', error)}") from error
                self.pause(tried)
            tried += 1

    def _address(self, path: str, values: Values | None) -> str:
        asked = {name: value for name, value in (values or {}).items() if value is not None and value != ""}
        query = urlencode({name: _written(value) for name, value in asked.items()}, doseq=True)
        return f"{self._root}{path}{'?' if query else ''}{query}"


def _written(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _unheard(error: Exception) -> bool:
    """Say whether the server cannot have heard it: nobody took the connection."""
    return isinstance(getattr(error, "reason", error), ConnectionRefusedError)


def _seconds(text: str | None) -> float | None:
    return min(_LONGEST_S, float(text)) if text is not None and text.isdecimal() else None
