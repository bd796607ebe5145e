"""Where people are signed in: noted as they come by, listed to themselves, ended by them. Knows sessions by their hash alone."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.decorators import sync_and_async_middleware

from croody.accounts import audit_trail, preferences, throttle
from croody.accounts.models import SignIn
from croody.accounts.sessions import kept_as
from croody.audit.actor import Actor

Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
#: Written at most so often.
_EVERY: Final = timedelta(minutes=5)
#: So many are listed, the newest first.
MOST: Final = 50


@sync_and_async_middleware
def remember(get_response: Sync | Async) -> Sync | Async:
    """Middleware: note where a signed-in person came from, once the page is made. Who is not signed in costs nothing."""
    if iscoroutinefunction(get_response):
        answer_later = cast(Async, get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            response = await answer_later(request)
            if _person(request) is not None:
                await sync_to_async(_note)(request, response)
            return response

        return later
    answer_now = cast(Sync, get_response)

    def now(request: HttpRequest) -> HttpResponseBase:
        response = answer_now(request)
        if _person(request) is not None:
            _note(request, response)
        return response

    return now


def of(user: User) -> list[SignIn]:
    """Where this person is signed in now: what ended by log-out, by its time or by a new password is not listed."""
    rows = list(SignIn.objects.filter(user=user).order_by("-seen_at")[:MOST])
    found = Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now())
    alive = {
        session.session_key
        for session in found
        if constant_time_compare(session.get_decoded().get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    }
    return [row for row in rows if row.session_key in alive]


def end(user: User, *, number: int | None, keep: str, now: datetime, actor: Actor) -> int:
    """End one session of this person, or all but the one kept as `keep`. Says how many ended."""
    rows = SignIn.objects.filter(user=user).exclude(session_key=keep)
    if number is not None:
        rows = rows.filter(pk=number)
    with transaction.atomic():
        keys = list(rows.values_list("session_key", flat=True))
        Session.objects.filter(session_key__in=keys).delete()
        rows.delete()
        if keys:
            audit_trail.note(user, actor, "end", "session", user.get_username(), now, after={"count": len(keys)})
    return len(keys)


def key_of(request: HttpRequest) -> str:
    """How the session of this request is kept."""
    return kept_as(request.session.session_key or "")


def _person(request: HttpRequest) -> User | None:
    """Whoever the page asked about, or has just let in; nobody when it did not ask."""
    user = request.user if type(request.user) is User else getattr(request, "_cached_user", None)
    return user if isinstance(user, User) and request.session.session_key else None


def _note(request: HttpRequest, response: HttpResponseBase) -> None:
    user, key, now = _person(request), key_of(request), timezone.now()
    seen_at = SignIn.objects.filter(session_key=key).values_list("seen_at", flat=True).first()
    if user is None or (seen_at is not None and now - seen_at < _EVERY):
        return
    values = {"user": user, "address": throttle.address_of(request), "agent": request.headers.get("User-Agent", "")[:200], "seen_at": now}
    if seen_at is None:
        # A browser that is new to us shows pages as its owner likes them.
        preferences.dress(response, user)
    SignIn.objects.update_or_create(session_key=key, defaults=values, create_defaults={**values, "at": now})
