"""Reads of the alarms. Knows who may see them, never how they are shown."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import F, QuerySet

from croody.alarms.models import Alarm
from croody.fleet import access


def visible_to(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Alarm]:
    """Alarms of the robots that this user works with, open first, newest first.

    A shared robot's readings are public; what is wrong with it is not.
    """
    if not user.is_authenticated or not user.is_active:
        return Alarm.objects.none()
    alarms = Alarm.objects.order_by(F("resolved_at").desc(nulls_first=True), "-opened_at", "-pk")
    if getattr(user, "is_superuser", False):
        return alarms
    return alarms.filter(robot_id__in=access.of_organisations(user).values("robot_id"))


def open_of(robot_id: str, kind: str) -> QuerySet[Alarm]:
    """The open alarms of one robot and kind, whatever their key."""
    return Alarm.objects.filter(robot_id=robot_id, kind=kind, resolved_at=None)
