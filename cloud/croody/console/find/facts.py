"""Asks the database for what a few letters may mean. Words nothing."""

from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Case, IntegerField, Q, Value, When

from croody.accounts.caller import Caller
from croody.alarms import inbox
from croody.alarms.models import Alarm
from croody.console.fleet.facts import open_alarms
from croody.fleet.access import Action, may
from croody.fleet.access import robots as robots_of
from croody.liveness import judge
from croody.liveness.judge import State
from croody.liveness.signs import signs_of

#: Robots and alarms of one answer.
MOST_ROBOTS: Final = 8
MOST_ALARMS: Final = 5


class Found(NamedTuple):
    """A robot that may be meant."""

    robot_id: str
    label: str
    site: str
    state: State


def robots(caller: Caller, text: str, now: datetime) -> list[Found]:
    """Robots whose id or label holds the text; those that begin with it first."""
    found = robots_of(caller, Action.INSPECT)
    if text:
        found = found.filter(Q(robot_id__icontains=text) | Q(label__icontains=text))
    begins = Case(When(robot_id__istartswith=text, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = list(found.order_by(begins, "robot_id").values_list("robot_id", "label", "site__name")[:MOST_ROBOTS])
    signs = signs_of([robot_id for robot_id, _label, _site in rows])
    worst = open_alarms(now) if rows else {}
    states = {
        robot_id: judge.state(now, replace(sign, faulted=worst.get(robot_id, (0, ""))[1] == "critical")) for robot_id, sign in signs.items()
    }
    return [Found(robot_id, label, site or "", states[robot_id]) for robot_id, label, site in rows]


def alarms(caller: Caller, text: str, kinds: list[str], now: datetime) -> list[Alarm]:
    """Open alarms of robots whose id holds the text, or of these kinds; the newest first."""
    if not text:
        return []
    return list(inbox.in_sight(caller, now).filter(Q(robot_id__icontains=text) | Q(kind__in=kinds)).order_by("-opened_at")[:MOST_ALARMS])


def allowed(caller: Caller, robot_id: str) -> frozenset[Action]:
    """What the caller may do to this robot."""
    robot = robots_of(caller, Action.INSPECT).get(pk=robot_id)
    return frozenset(action for action in Action if may(caller, action, robot))
