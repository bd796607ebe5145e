"""Who may call the IDS API: the one place that says so.

`IDS_API_TOKEN` opens everything. A personal token opens what its owner may see. Without any, only the local demo
(`CROODY_DEMO=1`) answers, only to this machine itself, and shows shared robots only.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest

from croody.fleet.access import visible_to
from croody.fleet.models import Robot


@dataclass(frozen=True, slots=True)
class Caller:
    """`user` is None for the holder of the service token, who sees every robot."""

    user: User | AnonymousUser | None

    def robots(self) -> QuerySet[Robot]:
        """What this caller may know of."""
        return Robot.objects.filter(deleted_at=None) if self.user is None else visible_to(self.user)


@dataclass(frozen=True, slots=True)
class Gate:
    """The rule, with what it depends on. `user_of` turns a personal token into its owner."""

    token: str
    demo: bool
    user_of: Callable[[str], User | None]

    def caller(self, request: HttpRequest) -> Caller | None:
        """Who calls, or None for somebody who may not."""
        key = request.headers.get("X-API-Key", "")
        if self.token and compare_digest(key.encode(), self.token.encode()):
            return Caller(None)
        if key:
            user = self.user_of(key)
            return Caller(user) if user is not None else None
        if not self.token and self.demo and is_loopback(request):
            return Caller(AnonymousUser())
        return None


def is_loopback(request: HttpRequest) -> bool:
    """Say whether the caller is this machine itself, and not a proxy on it that speaks for somebody else."""
    if "X-Forwarded-For" in request.headers or "X-Real-IP" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
