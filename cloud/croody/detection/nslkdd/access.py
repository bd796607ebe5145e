"""Who may call the IDS API: the one place that says so.

`IDS_API_TOKEN` opens everything, a personal token what its owner may see. Without either, the local demo answers
(`CROODY_DEMO=1`, no token set), and only to this machine itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from croody.fleet.access import visible_to
from croody.fleet.models import Robot
from croody.telemetry.http.access import is_local, is_own_origin


@dataclass(frozen=True, slots=True)
class Caller:
    """`user` is None for the holder of the service token and in the demo: both see every robot."""

    user: User | None

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
        if not self.token and self.demo and is_local(request) and is_own_origin(request):
            return Caller(None)
        return None
