"""Reads of the alarms. Knows who may see them, never how they are shown."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import Count, F, Q, QuerySet, Value, Window
from django.db.models.functions import Coalesce, Concat, DenseRank

from croody.accounts.caller import Caller
from croody.alarms.models import Alarm
from croody.alarms.storms import STORM
from croody.fleet import access
from croody.fleet.models import Robot
from croody.web.refusals import Denied


def visible_to(caller: Caller) -> QuerySet[Alarm]:
    """What `known_to` says without what a person called false before it came: that is only counted."""
    # Said twice round, as below.
    return known_to(caller).exclude(suppressed_by__isnull=False)


def known_to(caller: Caller) -> QuerySet[Alarm]:
    """Alarms of the robots that this caller works with: those of many robots, and those of each. `listed` puts them in order.

    A shared robot's readings are public; what is wrong with it is not. A superuser also sees those of no robot.
    """
    if caller.superuser:
        return Alarm.objects.all()
    robots = access.robots(caller, access.Action.INSPECT)
    teams = access.organisations(caller, access.Action.INSPECT)
    # By what is no column: else a database goes through all that each robot ever raised, and not through what is open or ended last.
    found = Alarm.objects.alias(whose=Concat("robot_id", Value("")))
    return found.filter(Q(whose__in=robots.values("robot_id")) | Q(organisation__in=teams.values("pk")))


def in_one_list(caller: Caller) -> QuerySet[Alarm]:
    """The same without the parts of one of many robots: what a person goes through."""
    # Said twice round, so that SQLite does not look for them by an index: nearly all are part of nothing.
    return visible_to(caller).exclude(part_of__isnull=False)


def still_open(found: QuerySet[Alarm], robot_id: str = "") -> QuerySet[Alarm]:
    """Those that are open, newest first; of one robot."""
    # By what is no column: else SQLite goes through all that ever was in its order, and not through what is open.
    opened = found.filter(resolved_at=None).alias(since=Coalesce("opened_at", "last_at")).order_by("-since", "-pk")
    return opened.alias(one=Concat("robot_id", Value(""))).filter(one=robot_id) if robot_id else opened


def ended(found: QuerySet[Alarm], robot_id: str = "") -> QuerySet[Alarm]:
    """Those that are over, the one that ended last first; of one robot."""
    over = found.filter(resolved_at__isnull=False).order_by("-resolved_at", "-opened_at", "-pk")
    return over.filter(robot_id=robot_id) if robot_id else over


def listed(found: QuerySet[Alarm], most: int, after: int | None = None, robot_id: str = "") -> list[Alarm]:
    """The first of these, or those behind alarm `after`, wherever it stands now: open first, newest first; of one robot.

    Raises:
        Denied: 404, there is no such alarm in the list.
    """
    opened, over = still_open(found, robot_id), ended(found, robot_id)
    if after is not None:
        last = (found.filter(robot_id=robot_id) if robot_id else found).filter(pk=after).first()
        if last is None:
            raise Denied(404, f"after: there is no alarm {after} in this list: begin again without it")
        older = Q(opened_at__lt=last.opened_at) | Q(opened_at=last.opened_at, pk__lt=last.pk)
        if last.resolved_at is None:
            opened = opened.filter(older)
        else:
            opened = opened.none()
            over = over.filter(
                Q(resolved_at__lt=last.resolved_at) | Q(resolved_at=last.resolved_at) & older, resolved_at__lte=last.resolved_at
            )
    rows = list(opened[:most])
    return rows + list(over[: most - len(rows)]) if len(rows) < most else rows


class Robots(NamedTuple):
    """The robots of an alarm: how many, the first of them by name, and the site of many robots that are all at one."""

    how_many: int
    names: tuple[str, ...]
    site: str = ""


def robots_of(alarms: Iterable[Alarm], caller: Caller, most: int) -> dict[int, Robots]:
    """Alarm's number -> the robots that it still concerns, or did when it ended; of those that this caller works with."""
    found = list(alarms)
    many = [alarm.pk for alarm in found if alarm.kind == STORM.code]
    known = {alarm.pk: Robots(1, (alarm.robot_id,)) if alarm.robot_id else Robots(0, ()) for alarm in found}
    if not many:
        return known
    parts = Alarm.objects.filter(Q(resolved_at=None) | ~Q(part_of__resolved_at=None), part_of__in=many)
    if not caller.superuser:
        parts = parts.filter(robot_id__in=access.robots(caller, access.Action.INSPECT).values("robot_id"))
    numbers = dict(parts.order_by().values_list("part_of").annotate(Count("robot_id", distinct=True)))
    place = Window(DenseRank(), partition_by=F("part_of"), order_by=F("robot_id").asc())
    named: dict[int | None, dict[str, None]] = {}
    for number, robot_id in parts.annotate(place=place).filter(place__lte=most).order_by("robot_id").values_list("part_of", "robot_id"):
        named.setdefault(number, {})[robot_id] = None
    return known | {number: Robots(numbers.get(number, 0), tuple(named.get(number, ())), _site(parts, number)) for number in many}


def _site(parts: QuerySet[Alarm], number: int) -> str:
    robots = Robot.objects.filter(pk__in=parts.filter(part_of=number).values("robot_id"))
    sites = list(robots.order_by().values_list("site", "site__name").distinct()[:2])
    return sites[0][1] or "" if len(sites) == 1 else ""


class OpenKind(NamedTuple):
    """How many alarms of one kind are open at one robot; `part_of`: in one of many robots, by its number."""

    robot_id: str
    kind: str
    part_of: int | None
    how_many: int


def open_by_kind() -> list[OpenKind]:
    """All that is open at robots, whoever may see it; however many alarms are over."""
    # Said twice round, so that SQLite does not look for them by an index: nearly all are held back by nothing.
    found = Alarm.objects.filter(resolved_at=None).exclude(suppressed_by__isnull=False).exclude(kind=STORM.code)
    return [OpenKind(*row) for row in found.order_by().values_list("robot_id", "kind", "part_of_id").annotate(Count("pk"))]


def open_counts(robot_ids: Collection[str]) -> dict[str, int]:
    """How many alarms are open at each of these robots that has any."""
    found = Counter[str]()
    for row in open_by_kind():
        if row.robot_id in robot_ids:
            found[row.robot_id] += row.how_many
    return found


def how_many(found: Iterable[OpenKind]) -> int:
    """How many alarms these are for a person: the parts of one of many robots are one."""
    rows = list(found)
    return sum(row.how_many for row in rows if row.part_of is None) + len({row.part_of for row in rows} - {None})
