"""What the inbox and an alarm's evidence are made of, as plain values. Words nothing."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User

from croody.accounts.caller import Caller
from croody.alarms import act_transaction, acts, inbox, queries, services, storms, suppressions
from croody.alarms.inbox import Asked, Counts, Listed, Tab
from croody.alarms.kinds import End
from croody.alarms.models import Act, Alarm, Suppression
from croody.alarms.queries import Robots, robots_of
from croody.detection.incidents import queries as incidents
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.models import Incident
from croody.fleet import access
from croody.fleet.models import Robot
from croody.telemetry.read import metrics as catalogue
from croody.telemetry.read.newest import newest_of
from croody.telemetry.read.series import Series, series
from croody.web.refusals import Denied

#: Robots of one alarm that are named in a row, and on its own page.
_NAMED: Final = 3
_NAMED_ALL: Final = 40
#: So long before and after an alarm its readings are shown, and so many points of a metric.
AROUND: Final = timedelta(minutes=5)
_POINTS: Final = 240
#: Metrics that are shown of it.
_METRICS: Final = 3
_NAME_CHARS: Final = 64
#: What is usual is of so long.
USUAL: Final = timedelta(days=14)
#: How often such alarms were false is told of so many, within so long.
_SUCH: Final = 500
SUCH_FOR: Final = timedelta(days=90)
_HISTORY: Final = 60
#: Robots of one alarm whose coming is drawn.
_ARRIVALS: Final = 5000


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of the inbox. `names`: user -> what they are called; `sites`: robot -> its site; `maintained`: robot -> until when.

    `matching`: alarms of all its pages.
    """

    asked: Asked
    listed: Listed
    counts: Counts
    tabs: Mapping[Tab, int]
    kinds: Sequence[str]
    robots: Mapping[int, Robots]
    names: Mapping[int, str]
    sites: Mapping[str, str]
    maintained: Mapping[str, datetime]
    last: Alarm | None
    held: int
    matching: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One alarm with what speaks for it.

    `usual`: metric -> mean over `USUAL`. `such`, `false`: alarms of its kind, and those of them that were called false.
    `arrivals`: when each robot of an alarm of many came. `incident`: what an alarm of an intruder is about.
    """

    alarm: Alarm
    robots: Robots
    site: str
    names: Mapping[int, str]
    maintained: datetime | None
    may_act: bool
    closable: bool
    people: Sequence[User]
    history: Sequence[Act]
    around: Series | None
    usual: Mapping[str, float]
    such: int
    false: int
    arrivals: Sequence[datetime]
    incident: Incident | None


def page(caller: Caller, asked: Asked, now: datetime) -> Inbox:
    """A page of the inbox."""
    listed = inbox.listed(caller, asked, now)
    ids = {alarm.robot_id for alarm in listed.alarms if alarm.robot_id}
    rows = Robot.objects.filter(pk__in=ids).values_list("robot_id", "site__name", "maintenance_until")
    known = {robot_id: (site or "", until) for robot_id, site, until in rows}
    return Inbox(
        asked=asked,
        listed=listed,
        counts=inbox.counts(caller, now),
        tabs=inbox.tabs(caller, now),
        kinds=inbox.kinds_open(caller),
        robots=robots_of(listed.alarms, caller, _NAMED),
        names=_names({alarm.assignee_id for alarm in listed.alarms}),
        sites={robot_id: site for robot_id, (site, _until) in known.items()},
        maintained={robot_id: until for robot_id, (_site, until) in known.items() if until is not None and until > now},
        last=None if listed.alarms else inbox.last_resolved(caller),
        held=suppressions.visible_to(caller, now).count(),
        # Of what is over there is any number, and nothing is done to all of it.
        matching=0 if asked.tab is Tab.RESOLVED else inbox.matching(caller, asked, now).order_by().count(),
    )


def alarm_of(caller: Caller, number: int) -> Alarm:
    """The alarm of this number.

    Raises:
        Denied: 404, the caller may not know of it.
    """
    found = queries.known_to(caller).filter(pk=number).first() if 0 < number <= act_transaction.MOST_ID else None
    if found is None:
        raise Denied(404, f"there is no alarm {number} that you may see")
    return found


def evidence(caller: Caller, alarm: Alarm, now: datetime) -> Evidence:
    """What is known of it."""
    robot = Robot.objects.select_related("site").filter(pk=alarm.robot_id).first()
    until = robot.maintenance_until if robot is not None else None
    kind = storms.kind_of(alarm)
    around, usual = _readings(alarm, now)
    such, false = _such(caller, alarm, now)
    return Evidence(
        alarm=alarm,
        robots=robots_of([alarm], caller, _NAMED_ALL)[alarm.pk],
        site=robot.site.name if robot is not None and robot.site is not None else "",
        names=_names({alarm.assignee_id}),
        maintained=until if until is not None and until > now else None,
        may_act=services.may_act(caller, alarm),
        closable=End.PERSON in kind.ends,
        people=acts.assignable(alarm, caller),
        history=list(alarm.acts.order_by("-pk")[:_HISTORY]),
        around=around,
        usual=usual,
        such=such,
        false=false,
        arrivals=list(alarm.parts.order_by("opened_at").values_list("opened_at", flat=True)[:_ARRIVALS]) if alarm.organisation_id else [],
        incident=_incident(caller, alarm),
    )


def _incident(caller: Caller, alarm: Alarm) -> Incident | None:
    number = alarm.detail.get("incident") if alarm.kind == INTRUSION.code else None
    return incidents.visible_to(caller).filter(pk=number).first() if isinstance(number, int) else None


def next_after(caller: Caller, asked: Asked, number: int, now: datetime) -> int | None:
    """The alarm that stands behind this one in the list, else before it: where a person goes on who has dealt with it."""
    numbers = [alarm.pk for alarm in inbox.listed(caller, asked, now).alarms]
    if number not in numbers:
        return numbers[0] if numbers else None
    place = numbers.index(number)
    rest = numbers[place + 1 :] + numbers[:place][::-1]
    return rest[0] if rest else None


def held(caller: Caller, now: datetime) -> list[Suppression]:
    """What was called false and still holds."""
    return list(suppressions.visible_to(caller, now)[: suppressions.MOST])


def may_end(caller: Caller) -> frozenset[int]:
    """Organisations whose exceptions the caller may end."""
    return frozenset(access.organisations(caller, access.Action.ACT).values_list("pk", flat=True))


def _readings(alarm: Alarm, now: datetime) -> tuple[Series | None, dict[str, float]]:
    if not alarm.robot_id:
        return None, {}
    names = _metrics_of(alarm)
    if not names:
        return None, {}
    end = min(now, alarm.opened_at + AROUND)
    around = series([alarm.robot_id], names, alarm.opened_at - AROUND, max(end, alarm.opened_at), now=now, buckets=_POINTS)
    if not any(value is not None for line in around.lines for value in line.mean):
        return None, {}
    past = series([alarm.robot_id], names, alarm.opened_at - USUAL, alarm.opened_at, now=now, step_s=3600)
    usual = {line.metric: mean for line in past.lines if (mean := _mean(line.mean, line.count)) is not None}
    return around, usual


def _mean(means: Sequence[float | None], counts: Sequence[int]) -> float | None:
    pairs = [(mean, count) for mean, count in zip(means, counts, strict=True) if mean is not None and count]
    total = sum(count for _mean, count in pairs)
    return sum(mean * count for mean, count in pairs) / total if total else None


def _metrics_of(alarm: Alarm) -> list[str]:
    """The metrics that an alarm names itself, else those that people look at first."""
    detail: dict[str, Any] = alarm.detail
    drivers = detail.get("drivers")
    told = detail.get("metrics")
    names: list[Any] = [*(drivers if isinstance(drivers, dict) else ()), *(told if isinstance(told, list) else ())]
    # A robot's own words are in there, too.
    named = [name for name in names if isinstance(name, str) and 0 < len(name) <= _NAME_CHARS and "\x00" not in name]
    if named:
        return named[:_METRICS]
    newest = newest_of([alarm.robot_id]).get(alarm.robot_id)
    data: dict[str, Any] = json.loads(newest.row).get("data", {}) if newest is not None else {}
    numbers = [name for name, value in data.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    return sorted(numbers, key=lambda name: (catalogue.describe(name).rank, name))[:_METRICS]


def _such(caller: Caller, alarm: Alarm, now: datetime) -> tuple[int, int]:
    """How many alarms of its kind there were in the caller's organisations that are over or were called false, and how many were."""
    mine = access.robots(caller, access.Action.INSPECT).values("robot_id")
    kind = storms.kind_of(alarm).code
    found = Alarm.objects.filter(kind=kind, part_of=None, opened_at__gt=now - SUCH_FOR, robot_id__in=mine).order_by("-opened_at")
    rows = Counter(found.values_list("false", flat=True)[:_SUCH])
    return rows[True] + rows[False], rows[True]


def _names(users: set[int | None]) -> dict[int, str]:
    found = User.objects.filter(pk__in=[pk for pk in users if pk is not None])
    return {user.pk: user.get_full_name() or user.get_username() for user in found}
