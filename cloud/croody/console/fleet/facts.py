"""Asks the database for what the fleet's page shows. Words nothing; which state holds is liveness' business."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Count

from croody.accounts.caller import Caller, again
from croody.accounts.models import Organisation
from croody.alarms.kinds import SEVERITIES
from croody.alarms.models import Alarm
from croody.alarms.storms import STORM
from croody.console.fleet.roster import Listed, Place, Roster, ordered
from croody.fleet.access import Action
from croody.fleet.access import robots as robots_of
from croody.fleet.models import Site
from croody.liveness import judge
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of
from croody.monitor import facts as monitor
from croody.monitor.entry import Entry

#: More sites or organisations than these have no line in a choice; the search finds their robots.
MOST_PLACES: Final = 200


def roster(audience: Caller, now: datetime) -> Roster:
    """All robots that this audience works with; a shared robot of others is on the monitor."""
    # A stream is open for hours: who may see what is asked anew.
    rows: list[Any] = list(
        robots_of(again(audience), Action.INSPECT).values_list("robot_id", "kind", "site__slug", "organisation__slug", named=True)
    )
    heard = listening()
    deaf_since = heard[1] if heard is not None and judge.deaf(now, heard[1]) else None
    signs = signs_of([row.robot_id for row in rows])
    alarms = open_alarms()
    robots = []
    for row in rows:
        count, worst = alarms.get(row.robot_id, (0, ""))
        # While the cloud is deaf every robot seems silent: they are judged as of when it last heard.
        state = judge.state(deaf_since or now, replace(signs[row.robot_id], faulted=worst == "critical"))
        robots.append(
            Listed(
                robot_id=row.robot_id,
                kind=row.kind,
                state=state,
                site=row.site__slug or "",
                organisation=row.organisation__slug,
                interval_s=signs[row.robot_id].interval_s,
                alerts=count,
                worst=worst,
            )
        )
    return Roster(now, deaf_since, ordered(robots), sites(audience), organisations(audience))


def open_alarms() -> dict[str, tuple[int, str]]:
    """Robot -> how many alarms are open at it, and the gravest severity; whoever may see them, however many are over."""
    found = Alarm.objects.filter(resolved_at=None).exclude(kind=STORM.code)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for robot_id, severity, count in found.order_by().values_list("robot_id", "severity").annotate(Count("pk")):
        counts[robot_id][severity] = count
    return {
        robot_id: (sum(of.values()), next((severity for severity in SEVERITIES if severity in of), "")) for robot_id, of in counts.items()
    }


def entries(listed: Collection[Listed]) -> dict[str, Entry]:
    """What these robots said last, by their id: a few queries, however many and whatever each has behind it."""
    known = [monitor.Listed(robot.robot_id, robot.kind, robot.site, robot.state, robot.interval_s) for robot in listed]
    return {entry.robot_id: entry for entry in monitor.entries(known)}


def reasons(robot_ids: Collection[str]) -> dict[str, Alarm]:
    """Of these robots that have an open alarm, the gravest, and of those the oldest."""
    severities = list(SEVERITIES)
    found: dict[str, Alarm] = {}
    rows = Alarm.objects.filter(resolved_at=None, robot_id__in=list(robot_ids)).exclude(kind=STORM.code).order_by("opened_at", "pk")
    for alarm in rows.only("robot_id", "kind", "severity", "detail", "opened_at"):
        before = found.get(alarm.robot_id)
        if before is None or severities.index(alarm.severity) < severities.index(before.severity):
            found[alarm.robot_id] = alarm
    return found


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
