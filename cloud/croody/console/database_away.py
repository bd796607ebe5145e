"""The console while the database is away: says since when, and comes back by itself. Knows requests, asks no database."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

View = Callable[..., HttpResponseBase]
#: Whoever waits asks every few seconds: after a longer silence nobody knows what was meanwhile, and it counts anew.
_GAP: Final = timedelta(minutes=1)


class Outage:
    """Since when this process finds the database away, as far as it was asked."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._seen: datetime | None = None

    def again(self, now: datetime) -> datetime:
        """It is away now; says since when."""
        if self._since is None or self._seen is None or now - self._seen > _GAP:
            self._since = now
        self._seen = now
        return self._since

    def over(self) -> None:
        """It answered."""
        self._since = self._seen = None


outage: Final = Outage()


def answering(view: View) -> View:
    """503 and a page in place of a failure. A statement that the database refuses is a fault of ours, and stays one."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            answer = view(request, *args, **kwargs)
            asked = request.user.is_authenticated
        except (OperationalError, InterfaceError):
            return _away(request)
        if asked:
            outage.over()
        return answer

    return answered


def _away(request: HttpRequest) -> HttpResponseBase:
    # Nothing behind this page asks for them once more.
    request.user = AnonymousUser()
    if hasattr(request, "_cached_user"):
        del request._cached_user
    context = {"since": outage.again(timezone.now()), "sent": request.method == "POST"}
    answer = render(request, "console/away.html", context, status=503)
    answer.headers["Retry-After"] = "5"
    return answer
