"""Asks the database for what the fleet's page shows. Words nothing; which state holds is liveness' business."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, QuerySet

from croody.accounts.caller import Caller, Role
from croody.accounts.models import Organisation
from croody.alarms import inbox
from croody.alarms.kinds import SEVERITIES
from croody.alarms.models import Alarm
from croody.alarms.storms import STORM
from croody.console.fleet.roster import Listed, Place, Roster, ordered
from croody.console.fleet.spark import MINUTES
from croody.fleet.access import ROLES, Action
from croody.fleet.access import robots as robots_of
from croody.fleet.models import Robot, Site
from croody.liveness import judge
from croody.liveness.judge import Signs
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of
from croody.monitor import facts as monitor
from croody.monitor.entry import Entry
from croody.telemetry.models import Rollup

#: The minutes that the roll-ups lie behind: they are no hole.
BEHIND: Final = 2
#: More sites or organisations than these have no line in a choice; the search finds their robots.
MOST_PLACES: Final = 200


_FIELDS: Final = (
    "robot_id",
    "kind",
    "label",
    "tags",
    "site__slug",
    "organisation__slug",
    "maintenance_until",
    "maintenance_by",
    "maintenance_reason",
)


def audience_of(caller: Caller) -> Caller:
    """The caller without what makes no difference to what they see: all who see the same share the work."""
    seen = tuple((organisation, Role.VIEWER) for organisation, role in caller.roles if Action.INSPECT in ROLES[role])
    return Caller("person", superuser=caller.superuser, roles=() if caller.superuser else seen)


def roster(audience: Caller, now: datetime) -> Roster:
    """All robots that this audience works with; a shared robot of others is on the monitor."""
    rows: list[Any] = list(robots_of(audience, Action.INSPECT).values_list(*_FIELDS, named=True))
    heard = listening()
    deaf_since = heard[1] if heard is not None and judge.deaf(now, heard[1]) else None
    signs = signs_of([row.robot_id for row in rows])
    alarms = open_alarms(now)
    # While the cloud is deaf every robot seems silent: they are judged as of when it last heard.
    listed = [_listed(row, signs[row.robot_id], alarms.get(row.robot_id, (0, "")), deaf_since or now) for row in rows]
    waiting = inbox.counts(audience, now)
    return Roster(now, deaf_since, ordered(listed), sites(audience), organisations(audience), waiting.severities, waiting.critical_new)


def _listed(row: Any, signs: Signs, alarms: tuple[int, str], judged_at: datetime) -> Listed:
    count, worst = alarms
    last = max((at for at in (signs.heard_at, signs.presence_at) if at is not None), default=None)
    return Listed(
        robot_id=row.robot_id,
        kind=row.kind,
        state=judge.state(judged_at, replace(signs, faulted=worst == "critical")),
        label=row.label,
        tags=tuple(row.tags or ()),
        site=row.site__slug or "",
        organisation=row.organisation__slug,
        interval_s=signs.interval_s,
        heard=last.timestamp() if last is not None else None,
        alerts=count,
        worst=worst,
        until=row.maintenance_until,
        by=row.maintenance_by,
        why=row.maintenance_reason,
    )


def open_alarms(now: datetime) -> dict[str, tuple[int, str]]:
    """Robot -> how many alarms are open at it, and the gravest severity; whoever may see them, however many are over.

    What was put off, or is held back as a false alarm, asks for nobody now.
    """
    found = _in_sight(now)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for robot_id, severity, count in found.order_by().values_list("robot_id", "severity").annotate(Count("pk")):
        counts[robot_id][severity] = count
    return {
        robot_id: (sum(of.values()), next((severity for severity in SEVERITIES if severity in of), "")) for robot_id, of in counts.items()
    }


def tags(robot_ids: Collection[str]) -> list[str]:
    """Every tag of these robots, by name."""
    found = Robot.objects.filter(pk__in=robot_ids).values_list("tags", flat=True)
    return sorted({tag for of in found for tag in of or ()}, key=str.casefold)


def entries(listed: Collection[Listed]) -> dict[str, Entry]:
    """What these robots said last, by their id: a few queries, however many and whatever each has behind it."""
    known = [monitor.Listed(robot.robot_id, robot.kind, robot.site, robot.state, robot.interval_s) for robot in listed]
    return {entry.robot_id: entry for entry in monitor.entries(known)}


def reasons(robot_ids: Collection[str], now: datetime) -> dict[str, Alarm]:
    """Of these robots that have an open alarm, the gravest, and of those the oldest."""
    severities = list(SEVERITIES)
    found: dict[str, Alarm] = {}
    rows = _in_sight(now).filter(robot_id__in=list(robot_ids)).order_by("opened_at", "pk")
    for alarm in rows.only("robot_id", "kind", "severity", "detail", "opened_at"):
        before = found.get(alarm.robot_id)
        if before is None or severities.index(alarm.severity) < severities.index(before.severity):
            found[alarm.robot_id] = alarm
    return found


def _in_sight(now: datetime) -> QuerySet[Alarm]:
    # Said twice round, so that SQLite does not look for them by an index: nearly all are held back by nothing.
    found = Alarm.objects.filter(resolved_at=None).exclude(suppressed_by__isnull=False).exclude(kind=STORM.code)
    return found.exclude(snoozed_until__gt=now, snoozed_until__isnull=False)


def sites(audience: Caller) -> tuple[Place, ...]:
    """Sites where the robots of this audience work, by name."""
    used = robots_of(audience, Action.INSPECT).filter(site__isnull=False).order_by().values("site")
    found = Site.objects.filter(pk__in=used).order_by("name", "slug").values_list("slug", "name")
    return tuple(Place(slug, name) for slug, name in found[:MOST_PLACES])


def organisations(audience: Caller) -> tuple[Place, ...]:
    """Organisations of these robots, by name."""
    used = robots_of(audience, Action.INSPECT).order_by().values("organisation")
    found = Organisation.objects.filter(pk__in=used).order_by("name", "slug").values_list("slug", "name")
    return tuple(Place(slug, name) for slug, name in found[:MOST_PLACES])


def hours(robot_ids: Collection[str], metric: str, now: datetime) -> dict[str, list[float | None]]:
    """The last hour of one metric of these robots, a mean a minute, None where nothing came; of those that sent it."""
    begin = now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES + BEHIND)
    rows = Rollup.objects.filter(
        robot_id__in=list(robot_ids), metric=metric, step_s=60, at__gte=begin, at__lt=begin + timedelta(minutes=MINUTES)
    )
    found: dict[str, list[float | None]] = {}
    for robot_id, at, mean in rows.order_by().values_list("robot_id", "at", "mean"):
        found.setdefault(robot_id, [None] * MINUTES)[int((at - begin) / timedelta(minutes=1))] = mean
    return found
