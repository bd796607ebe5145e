"""Who listens, as a value, and the robots they may know of. The rules themselves are `telemetry.access` and `fleet.access`."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest

from croody.telemetry.http import access
from croody.telemetry.http.access import Caller, Kind


@dataclass(frozen=True, slots=True)
class Audience:
    """Listeners that see the same robots. `key`: the user's or the robot's id."""

    kind: Kind
    key: str = ""


PUBLIC: Final = Audience("anonymous")


def of_session(request: HttpRequest) -> Audience:
    """The signed-in user, else the public: what pages show."""
    return Audience("user", str(request.user.pk)) if request.user.is_authenticated else PUBLIC


def of_caller(request: HttpRequest) -> Audience:
    """Whoever asks by key; else the signed-in user; else whoever the telemetry API takes them for.

    Raises:
        access.Denied: a key that is nobody's.
    """
    if not request.headers.get("X-API-Key") and request.user.is_authenticated:
        return of_session(request)
    caller = access.caller_of(request)
    return Audience(caller.kind, str(caller.user.pk) if caller.user is not None else caller.robot_id)


def robots_of(audience: Audience) -> frozenset[str]:
    """Ids of the robots this audience may know of now. A user who is gone is the public."""
    user = User.objects.filter(pk=audience.key).first() if audience.kind == "user" else None
    robot_id = audience.key if audience.kind == "robot" else ""
    kind: Kind = "anonymous" if audience.kind == "user" and user is None else audience.kind
    return frozenset(access.visible(Caller(kind, robot_id, user)).values_list("robot_id", flat=True))
