"""Alarms that a person called false: which of them holds back what is raised, how it counts, and when it lets go.

A cause that is held back has its row all the same, so that whoever raises it finds it, and so that it is seen when it outlasts the word.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from croody.accounts.caller import Caller
from croody.alarms.models import Alarm, Suppression
from croody.fleet import access
from croody.fleet.models import Robot

Scope = Suppression.Scope
#: How long one may last, and how many of an organisation may hold at once.
LONGEST: Final = timedelta(days=90)
MOST: Final = 200


def covering(robot_id: str, kind: str, key: str, *, now: datetime, organisation: int | None = None) -> Suppression | None:
    """The one that holds such an alarm back now, the narrowest first; None when it is to be seen. `organisation`: of one of no robot."""
    mine = Q(scope=Scope.ROBOT, robot_id=robot_id) | Q(scope=Scope.CAUSE, robot_id=robot_id, key=key)
    team = Q(scope=Scope.TEAM, organisation__in=Robot.objects.filter(pk=robot_id).values("organisation_id"))
    if organisation is not None:
        team = Q(scope=Scope.TEAM, organisation=organisation)
    # `cause`, `robot`, `team`: the alphabet puts the narrowest first.
    return Suppression.objects.filter(mine | team, kind=kind, expires_at__gt=now).order_by("scope", "pk").first()


def hit(held: Suppression, now: datetime, times: int = 1) -> None:
    """Count alarms that it holds back."""
    Suppression.objects.filter(pk=held.pk).update(hits=F("hits") + times, last_hit_at=now)


def covered(suppression: Suppression) -> QuerySet[Alarm]:
    """Open alarms that it is about, whoever holds them back."""
    found = Alarm.objects.filter(kind=suppression.kind, resolved_at=None)
    match suppression.scope:
        case Scope.CAUSE:
            return found.filter(robot_id=suppression.robot_id, key=suppression.key)
        case Scope.ROBOT:
            return found.filter(robot_id=suppression.robot_id)
    return found.filter(robot_id__in=Robot.objects.filter(organisation_id=suppression.organisation_id).values("pk"))


def visible_to(caller: Caller, now: datetime) -> QuerySet[Suppression]:
    """Those that hold now, of the caller's organisations; the one that ends last first."""
    teams = access.organisations(caller, access.Action.INSPECT)
    return Suppression.objects.filter(organisation__in=teams.values("pk"), expires_at__gt=now).order_by("-expires_at", "-pk")


def release(now: datetime, most: int) -> None:
    """Show what is still open of those that expired: at most so many a run."""
    late = (
        Alarm.objects.filter(resolved_at=None, suppressed_by__expires_at__lte=now).order_by("opened_at", "pk").values_list("pk", flat=True)
    )
    Alarm.objects.filter(pk__in=list(late[:most])).update(suppressed_by=None, false=False)


def end(number: int, now: datetime) -> None:
    """Let go of what it holds back, before its time."""
    Suppression.objects.filter(pk=number).update(expires_at=now)
    Alarm.objects.filter(suppressed_by=number, resolved_at=None).update(suppressed_by=None, false=False)
