"""Reads of the alarms. Knows who may see them, never how they are shown."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import F, QuerySet

from croody.alarms.models import Alarm
from croody.fleet import access
from croody.fleet.models import Robot


def of_robots(robots: QuerySet[Robot]) -> QuerySet[Alarm]:
    """Alarms of these robots, open first, newest first."""
    return _in_order(Alarm.objects.filter(robot_id__in=robots.values("robot_id")))


def visible_to(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Alarm]:
    """Alarms of the robots that this user works with, open first, newest first.

    A shared robot's readings are public; what is wrong with it is not. A superuser also sees those of no robot.
    """
    if user.is_authenticated and user.is_active and getattr(user, "is_superuser", False):
        return _in_order(Alarm.objects.all())
    return of_robots(access.of_organisations(user))


def _in_order(alarms: QuerySet[Alarm]) -> QuerySet[Alarm]:
    return alarms.order_by(F("resolved_at").desc(nulls_first=True), "-opened_at", "-pk")


def open_of(robot_id: str, kind: str) -> QuerySet[Alarm]:
    """The open alarms of one robot and kind, whatever their key."""
    return Alarm.objects.filter(robot_id=robot_id, kind=kind, resolved_at=None)
