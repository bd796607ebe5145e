"""What our own APIs and pages refuse: wrong keys and passwords, what is not theirs, what does not exist. Counted, written once a second.

Counts only in a process that serves (`start`), and never holds a request up: a thread of its own writes.
"""

import hashlib
import hmac
import logging
import secrets
import threading
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.db import Error, close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from croody.accounts.throttle import address_of
from croody.detection.incidents import signs
from croody.web.answers import Steps, middleware
from croody_contract.printable import printable
from croody_contract.security import ACCOUNT_CHARS, MOST, TOPIC_CHARS, Kind, Noticed, Report

log = logging.getLogger(__name__)
_EVERY_S: Final = 1.0
_ADDRESS_CHARS: Final = 64
_Key = tuple[Kind, str, str, bool, str, str]


class Counts:
    """What was refused since the last look, bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[_Key, int] = {}
        self._left_out = 0
        self._source = ""
        self._came = threading.Event()

    def start(self, source: str) -> None:
        """Count from now on, and write it down as of `source`; once a process, after it was forked."""
        self._source = source
        threading.Thread(target=self._run, name="refusals", daemon=True).start()

    def take(self, kind: Kind, address: str, *, account: str = "", secret: str = "", topic: str = "") -> None:
        """One more."""
        if not self._source:
            return
        key = (kind, address[:_ADDRESS_CHARS], _fit(account, ACCOUNT_CHARS), False, _code(secret), _fit(topic, TOPIC_CHARS))
        with self._lock:
            if key in self._counts or len(self._counts) < MOST:
                self._counts[key] = self._counts.get(key, 0) + 1
            else:
                self._left_out += 1
        self._came.set()

    def report(self) -> Report:
        """All of it; counting begins anew."""
        with self._lock:
            counts, self._counts = self._counts, {}
            left_out, self._left_out = self._left_out, 0
        return Report([Noticed(*key, times=times) for key, times in counts.items()], 0.0, left_out)

    def _run(self) -> None:
        while True:
            self._came.wait()
            self._came.clear()
            threading.Event().wait(_EVERY_S)
            try:
                close_old_connections()
                signs.write(self._source, [self.report()], datetime.now(UTC))
            except Error as error:
                # Whoever waits for a page is told that the database is away; what was counted meanwhile is lost.
                log.warning("what was refused in the last second was not written down: %s", error)
            finally:
                close_old_connections()


counts: Final = Counts()


@middleware
def count_refusals(request: HttpRequest) -> Steps:
    """Looks at each answer's status."""
    return _looked_at(request, (yield))


def _looked_at(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    match response.status_code:
        case 401:
            key = request.headers.get("X-API-Key") or request.headers.get("Authorization", "")
            if key:
                counts.take(Kind.WRONG_KEY, address_of(request), secret=key)
        case 403:
            if request.path_info.startswith("/api/"):
                counts.take(Kind.FORBIDDEN, address_of(request))
        case 404:
            counts.take(Kind.MISSING, address_of(request), topic=request.path_info)
    return response


def listen() -> None:
    """Hear of wrong passwords; once, at the start."""
    from axes.signals import user_locked_out
    from django.contrib.auth.signals import user_login_failed

    user_login_failed.connect(_failed, dispatch_uid="incidents")
    user_locked_out.connect(_locked, dispatch_uid="incidents")


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    if request is not None:
        name = credentials.get("username") or credentials.get("email") or ""
        counts.take(Kind.WRONG_PASSWORD, address_of(request), account=str(name))


def _locked(request: HttpRequest, username: str = "", **_kwargs: Any) -> None:
    counts.take(Kind.WRONG_PASSWORD, address_of(request), account=str(username or ""))


def _fit(text: str, chars: int) -> str:
    return printable(text[:chars])[:chars]


def _code(secret: str) -> str:
    """Says only whether two are the same, in every process of a role; empty of nothing."""
    return hmac.new(_key(), secret.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:8] if secret else ""


_ANY_KEY: Final = secrets.token_hex(32)


def _key() -> bytes:
    env = settings.ENV
    return str(env.secret_key or env.bridge_token or env.ids_token or _ANY_KEY).encode()
