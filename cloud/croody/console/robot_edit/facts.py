"""Asks for a robot that a person may change, for its sites, and for what they changed a moment ago. Words nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from croody.accounts.caller import Caller
from croody.audit.models import Entry
from croody.fleet.access import Action, may, need
from croody.fleet.models import Robot, Site
from croody.web.refusals import Denied

#: So long what somebody changed can be undone with one button.
UNDO: Final = timedelta(minutes=10)
_FIELDS: Final = {"label": "label", "tag": "tags", "move": "site", "share": "shared", "unshare": "shared"}
_MOST_SITES: Final = 400


@dataclass(frozen=True, slots=True)
class Changed:
    """What one changed last. `act`: the form that takes it back; `before`: what it then has to say."""

    act: str
    before: Any
    after: Any


def robot_of(caller: Caller, action: Action, robot_id: str) -> Robot:
    """A robot that this person works with, when they may do this to it. One that is merely shared is no robot of the console.

    Raises:
        Denied: 404, there is none that they work with; 403, they may not.
    """
    robot = need(caller, Action.SEE, robot_id)
    if not may(caller, Action.INSPECT, robot):
        raise Denied(404, f"robot_id: there is no robot {robot_id[:64]!r} that you work with")
    return need(caller, action, robot_id)


def sites(robot: Robot) -> list[tuple[str, str]]:
    """Slug and name of the sites at which it may work, by name."""
    return list(Site.objects.filter(organisation=robot.organisation_id).order_by("name", "pk").values_list("slug", "name")[:_MOST_SITES])


def changed(robot: Robot, user_id: int | None, now: datetime) -> Changed | None:
    """What this person changed of it a moment ago; nothing, when somebody else did something to it since."""
    mine = Entry.objects.filter(organisation_id=robot.organisation_id, thing="robot", thing_id=robot.pk, at__gt=now - UNDO)
    last = mine.order_by("-at", "-id").first()
    if last is None or last.user_id != user_id or last.verb not in _FIELDS or user_id is None:
        return None
    field = _FIELDS[last.verb]
    act = {"label": "label", "tags": "tags", "site": "site", "shared": "share"}[field]
    return Changed(act, last.before.get(field), last.after.get(field))
