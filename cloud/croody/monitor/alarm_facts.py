"""Open alarms of the robots that a person works with, the worst first, and what jobs set aside, as facts. Words nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Case, IntegerField, QuerySet, Value, When

from croody.accounts.caller import Caller
from croody.alarms.kinds import SEVERITIES, End
from croody.alarms.models import Alarm
from croody.alarms.queries import Robots, ended, in_one_list, robots_of, still_open, visible_to
from croody.alarms.storms import kind_of
from croody.fleet import access
from croody.telemetry.models import SetAside
from croody.web.address import page_count

#: Alarms among the other things on the monitor, and on a page of their own.
FEW: Final = 10
PAGE: Final = 100
#: Robots of one alarm that are named; all are counted.
NAMED: Final = 8
#: Alarms that are over, and things set aside, that the page of alarms ends with.
OVER: Final = 10
ASIDE: Final = 50
#: So many newer ones of other teams are gone through to find those.
_ASIDE_SEEN: Final = 3000


@dataclass(frozen=True, slots=True)
class Alarms:
    """`alarms`: of this page; `count`: on all pages. `closable`: numbers of those that this person may close."""

    alarms: tuple[Alarm, ...]
    count: int
    robots: Mapping[int, Robots]
    closable: frozenset[int]
    page: int = 1

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return page_count(self.count, PAGE)


def few(caller: Caller) -> Alarms:
    """The worst ones, and how many there are."""
    still = _open(caller, "")
    return _with_robots(caller, tuple(still[:FEW]), still.count())


def page(caller: Caller, robot_id: str, asked: int) -> Alarms:
    """A page of all that is open, or of what is open at one robot; the last one there is, when there is no such page."""
    still = _open(caller, robot_id)
    count = still.count()
    here = min(asked, page_count(count, PAGE))
    return _with_robots(caller, tuple(still[(here - 1) * PAGE : here * PAGE]), count, here)


def over(caller: Caller, robot_id: str) -> Alarms:
    """What ended last."""
    return _with_robots(caller, tuple(ended(_found(caller, robot_id), robot_id)[:OVER]), 0)


def aside(caller: Caller, robot_id: str) -> tuple[SetAside, ...]:
    """What jobs left out of these robots' records, the newest first."""
    mine = set(access.robots(caller, access.Action.INSPECT).values_list("robot_id", flat=True))
    found: list[SetAside] = []
    for row in SetAside.objects.order_by("-at", "-pk")[:_ASIDE_SEEN]:
        if row.robot_id in mine and robot_id in ("", row.robot_id):
            found.append(row)
            if len(found) == ASIDE:
                break
    return tuple(found)


def _found(caller: Caller, robot_id: str) -> QuerySet[Alarm]:
    return visible_to(caller) if robot_id else in_one_list(caller)


def _open(caller: Caller, robot_id: str) -> QuerySet[Alarm]:
    ranks = [When(severity=severity, then=Value(rank)) for rank, severity in enumerate(SEVERITIES)]
    rank = Case(*ranks, default=Value(len(ranks)), output_field=IntegerField())
    return still_open(_found(caller, robot_id), robot_id).annotate(rank=rank).order_by("rank", "-opened_at", "-pk")


def _with_robots(caller: Caller, alarms: Sequence[Alarm], count: int, here: int = 1) -> Alarms:
    return Alarms(tuple(alarms), count, robots_of(alarms, caller, NAMED), _closable(caller, alarms), here)


def _closable(caller: Caller, alarms: Sequence[Alarm]) -> frozenset[int]:
    wanted = [alarm for alarm in alarms if alarm.resolved_at is None and End.PERSON in kind_of(alarm).ends]
    if caller.superuser:
        return frozenset(alarm.pk for alarm in wanted)
    robots = access.robots(caller, access.Action.ACT).filter(pk__in={alarm.robot_id for alarm in wanted})
    mine = set(robots.values_list("pk", flat=True))
    teams = set(access.organisations(caller, access.Action.ACT).values_list("pk", flat=True))
    return frozenset(alarm.pk for alarm in wanted if alarm.robot_id in mine or alarm.organisation_id in teams)
