"""What can be done to many robots, one after the other, by the services that a robot's own page calls. Bounded in time; words nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.audit.actor import Actor
from croody.console.fleet import own
from croody.console.maintenance.views import HOURS
from croody.fleet import services
from croody.fleet.access import Action, may
from croody.fleet.models import Robot, Site
from croody.web.turns import give_way

#: So long one request acts, in seconds; what is left is said, and the same again goes on with it.
RUN_S: Final = 10.0
#: How a message says that it can be undone: with the id of the request that did it.
UNDOABLE: Final = "many-"
#: Robots that are loaded at once.
_SLICE: Final = 100


@dataclass(frozen=True, slots=True)
class Who:
    """Who does it, when, and what their form says beside it."""

    caller: Caller
    by: Actor
    now: datetime
    form: QueryDict


@dataclass(slots=True)
class Outcome:
    """How many were done and how many nobody got to; why others were not, each reason once."""

    done: int = 0
    left: int = 0
    refused: dict[str, int] = field(default_factory=dict)


class Verb(NamedTuple):
    """`needs`: what one must be allowed to do to a robot."""

    needs: Action
    do: Callable[[Who, Robot], None]


def _maintain(who: Who, robot: Robot) -> None:
    hours = who.form.get("hours", "")
    until = who.now + timedelta(hours=int(hours) if hours in {str(one) for one in HOURS} else 2)
    services.start_maintenance(robot, until=until, reason=who.form.get("reason", ""), actor=who.by, now=who.now)


def _mended(who: Who, robot: Robot) -> None:
    services.end_maintenance(robot, actor=who.by, now=who.now)


def _tag(who: Who, robot: Robot) -> None:
    services.set_tags(robot, [*(robot.tags or []), *_tags(who.form)], actor=who.by, now=who.now)


def _untag(who: Who, robot: Robot) -> None:
    gone = {" ".join(tag.split()) for tag in _tags(who.form)}
    services.set_tags(robot, [tag for tag in robot.tags or [] if tag not in gone], actor=who.by, now=who.now)


def _tags(form: QueryDict) -> list[str]:
    """What was typed, commas between.

    Raises:
        BadRobot: nothing was.
    """
    wanted = [tag for tag in form.get("tags", "").split(",") if tag.strip()]
    if not wanted:
        raise services.BadRobot(_("etiquetas: escribe al menos una"))
    return wanted


def _move(who: Who, robot: Robot) -> None:
    slug = who.form.get("site", "").replace("\x00", "")
    found = Site.objects.filter(organisation=robot.organisation_id, slug=slug).first() if slug else None
    if slug and found is None:
        raise services.BadRobot(_("sitio %(site)s: su organización no lo tiene") % {"site": slug[:50]})
    services.move_to_site(robot, found, actor=who.by, now=who.now)


def _star(who: Who, robot: Robot) -> None:
    own.star(who.caller.user_id or 0, robot, True)


def _unstar(who: Who, robot: Robot) -> None:
    own.star(who.caller.user_id or 0, robot, False)


VERBS: Final[Mapping[str, Verb]] = {
    "maintain": Verb(Action.ACT, _maintain),
    "mended": Verb(Action.ACT, _mended),
    "tag": Verb(Action.CONFIGURE, _tag),
    "untag": Verb(Action.CONFIGURE, _untag),
    "move": Verb(Action.CONFIGURE, _move),
    "star": Verb(Action.INSPECT, _star),
    "unstar": Verb(Action.INSPECT, _unstar),
}


def run(verb: Verb, who: Who, robot_ids: Sequence[str]) -> Outcome:
    """Do it to each that the caller may do it to; of others nothing is said, as if they were not there."""
    outcome, begun = Outcome(), time.monotonic()
    for start in range(0, len(robot_ids), _SLICE):
        wanted = robot_ids[start : start + _SLICE]
        known = {robot.pk: robot for robot in Robot.objects.filter(pk__in=wanted).select_related("organisation", "site")}
        for place, robot_id in enumerate(wanted):
            if time.monotonic() - begun > RUN_S:
                outcome.left = len(robot_ids) - start - place
                return outcome
            robot = known.get(robot_id)
            if robot is None or not may(who.caller, Action.INSPECT, robot):
                continue
            if not may(who.caller, verb.needs, robot):
                _refuse(outcome, _("tu papel en su organización no alcanza"))
                continue
            at = time.monotonic()
            try:
                verb.do(who, robot)
                outcome.done += 1
            except (services.BadRobot, own.TooMuch) as error:
                _refuse(outcome, str(error))
            give_way("default", time.monotonic() - at)
    return outcome


def _refuse(outcome: Outcome, why: str) -> None:
    outcome.refused[why] = outcome.refused.get(why, 0) + 1
