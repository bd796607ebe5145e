"""Reads of the alarms. Knows who may see them, never how they are shown."""

from typing import NamedTuple

from django.db.models import Count, F, QuerySet

from croody.accounts.caller import Caller
from croody.alarms.models import Alarm
from croody.fleet import access


def visible_to(caller: Caller) -> QuerySet[Alarm]:
    """Alarms of the robots that this caller works with, open first, newest first.

    A shared robot's readings are public; what is wrong with it is not. A superuser also sees those of no robot.
    """
    robots = access.robots(caller, access.Action.INSPECT)
    mine = Alarm.objects.all() if caller.superuser else Alarm.objects.filter(robot_id__in=robots.values("robot_id"))
    return mine.order_by(F("resolved_at").desc(nulls_first=True), "-opened_at", "-pk")


def open_of(robot_id: str, kind: str) -> QuerySet[Alarm]:
    """The open alarms of one robot and kind, whatever their key."""
    return Alarm.objects.filter(robot_id=robot_id, kind=kind, resolved_at=None)


class OpenKind(NamedTuple):
    """How many alarms of one kind are open at one robot."""

    robot_id: str
    kind: str
    how_many: int


def open_by_kind() -> list[OpenKind]:
    """All that is open, whoever may see it; however many alarms are over."""
    found = Alarm.objects.filter(resolved_at=None).order_by().values_list("robot_id", "kind").annotate(Count("pk"))
    return [OpenKind(*row) for row in found]
