"""Takes back what one request of a person did to many robots, as the audit log has it; what changed since stays as it is."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.console.robot_edit.facts import UNDO
from croody.fleet import services
from croody.fleet.access import Action, may
from croody.fleet.models import Robot, Site

#: Entries of one request that are taken back.
_MOST: Final = 5000


def _tags(robot: Robot, entry: Entry, by: Actor, now: datetime) -> None:
    if robot.tags == entry.after.get("tags"):
        services.set_tags(robot, entry.before.get("tags") or [], actor=by, now=now)


def _site(robot: Robot, entry: Entry, by: Actor, now: datetime) -> None:
    if (robot.site.slug if robot.site else None) == entry.after.get("site"):
        slug = entry.before.get("site")
        site = Site.objects.filter(organisation=robot.organisation_id, slug=slug).first() if slug else None
        services.move_to_site(robot, site, actor=by, now=now)


def _maintenance(robot: Robot, entry: Entry, by: Actor, now: datetime) -> None:
    """What was not changed is in no entry: it is as the robot has it."""
    is_now = robot.maintenance_until.isoformat() if robot.maintenance_until else None
    if is_now != entry.after.get("maintenance_until", is_now):
        return
    before: Any = entry.before.get("maintenance_until", is_now)
    until = datetime.fromisoformat(before) if before else None
    if until is None or until <= now:
        services.end_maintenance(robot, actor=by, now=now)
    else:
        reason = str(entry.before.get("maintenance_reason", robot.maintenance_reason))
        services.start_maintenance(robot, until=until, reason=reason, actor=by, now=now)


_BACK: Final[Mapping[str, tuple[Action, Callable[[Robot, Entry, Actor, datetime], None]]]] = {
    "tag": (Action.CONFIGURE, _tags),
    "move": (Action.CONFIGURE, _site),
    "start_maintenance": (Action.ACT, _maintenance),
    "end_maintenance": (Action.ACT, _maintenance),
}


def take_back(caller: Any, request_id: str, *, by: Actor, now: datetime) -> int:
    """Of how many robots something was taken back. Only what this person did themselves, a moment ago."""
    if not request_id or caller.user_id is None:
        return 0
    mine = Entry.objects.filter(at__gt=now - UNDO, user_id=caller.user_id, request_id=request_id, thing="robot", verb__in=_BACK)
    entries = {entry.thing_id: entry for entry in mine.order_by("-id")[:_MOST]}
    count = 0
    for robot in Robot.objects.filter(pk__in=list(entries)).select_related("organisation", "site"):
        entry = entries[robot.pk]
        needs, back = _BACK[entry.verb]
        if may(caller, needs, robot):
            back(robot, entry, by, now)
            count += 1
    return count
