"""What people change about a robot: its label, tags, notes and site, whether it is shared, and that somebody works on it."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from croody.accounts.caller import actor_of
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Problem, Wrong
from croody.api.fleet import RobotId, router, shown
from croody.api.request_bodies import MaintenanceIn, RobotIn, SharingIn
from croody.api.schemas import RobotOut, TagsOut
from croody.api.sites import site_of
from croody.audit.actor import Actor
from croody.fleet import services
from croody.fleet.access import Action, asking, need, robots
from croody.fleet.models import Robot

_DONE: Final[dict[int, Any]] = {200: RobotOut, 404: Problem, **ERRORS}
#: Robots whose tags are looked at.
_MOST: Final = 20_000


@router.patch("/robots/{robot_id}", auth=Asks(Action.CONFIGURE), response=_DONE, summary="Change a robot's label, tags, notes or site")
def change(request: HttpRequest, robot_id: RobotId, body: RobotIn) -> dict[str, Any]:
    """All that is sent, or nothing when any of it is wrong."""
    robot = need(asking(request), Action.CONFIGURE, robot_id)
    actor, now, sent = actor_of(request, asking(request)), timezone.now(), body.model_fields_set
    try:
        with transaction.atomic():
            if "site" in sent:
                services.move_to_site(robot, site_of(robot.organisation_id, body.site), actor=actor, now=now)
            for name, write in (("label", services.set_label), ("tags", services.set_tags), ("notes", services.set_notes)):
                if name in sent:
                    write(robot, getattr(body, name), actor=actor, now=now)
    except services.BadRobot as error:
        raise _bad(error) from error
    return _now(request, robot_id, now)


@router.put("/robots/{robot_id}/sharing", auth=Asks(Action.ADMINISTER), response=_DONE, summary="Let the public see it, or no more")
def sharing(request: HttpRequest, robot_id: RobotId, body: SharingIn) -> dict[str, Any]:
    """With its readings, those of before, too."""
    robot, now = need(asking(request), Action.ADMINISTER, robot_id), timezone.now()
    services.share(robot, body.shared, actor=actor_of(request, asking(request)), now=now)
    return _now(request, robot_id, now)


@router.put("/robots/{robot_id}/maintenance", auth=Asks(Action.ACT), response=_DONE, summary="Say that somebody works on it")
def start_maintenance(request: HttpRequest, robot_id: RobotId, body: MaintenanceIn) -> dict[str, Any]:
    """Until then nothing of it asks for anybody. Said again, it lasts until the new time; thirty days at most."""
    robot, now = need(asking(request), Action.ACT, robot_id), timezone.now()
    try:
        services.start_maintenance(robot, until=body.until, reason=body.reason, actor=_actor(request), now=now)
    except services.BadRobot as error:
        raise _bad(error) from error
    return _now(request, robot_id, now)


@router.delete("/robots/{robot_id}/maintenance", auth=Asks(Action.ACT), response=_DONE, summary="Say that the work is done")
def end_maintenance(request: HttpRequest, robot_id: RobotId) -> dict[str, Any]:
    """Nothing happens when nobody was at it."""
    robot, now = need(asking(request), Action.ACT, robot_id), timezone.now()
    services.end_maintenance(robot, actor=_actor(request), now=now)
    return _now(request, robot_id, now)


@router.get("/tags", auth=Asks(Action.INSPECT), response={200: TagsOut, **ERRORS}, summary="Tags of the robots that you work with")
def tags(request: HttpRequest) -> dict[str, Any]:
    """By name, with how many robots have each."""
    found: dict[str, int] = {}
    for some in robots(asking(request), Action.INSPECT).order_by("pk").values_list("tags", flat=True)[:_MOST]:
        for tag in some or ():
            found[tag] = found.get(tag, 0) + 1
    return {"items": [{"tag": tag, "robot_count": found[tag]} for tag in sorted(found, key=str.casefold)], "next": None}


def _now(request: HttpRequest, robot_id: str, now: datetime) -> dict[str, Any]:
    found = Robot.objects.select_related("organisation", "site").get(pk=robot_id)
    return shown([found], asking(request), now)[0]


def _actor(request: HttpRequest) -> Actor:
    return actor_of(request, asking(request))


def _bad(error: services.BadRobot) -> Wrong:
    """What a service says is one sentence with all of it."""
    return Wrong.said(str(error))
