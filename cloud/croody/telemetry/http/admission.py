"""Which robot a reading over HTTP is booked for: known ones, and legacy ones that are met for the first time."""

import time

from django.db import IntegrityError

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.fleet.access import Action, need
from croody.fleet.models import Robot
from croody.fleet.queries import known_robots
from croody.fleet.services import RESERVED
from croody.web.refusals import Denied


def admit(caller: Caller, robot_id: str) -> None:
    """Let a reading of `robot_id` in, or say why not.

    Raises:
        Denied: 403 for another's robot, 404 for one that the caller may not know of.
    """
    if caller.kind == "robot" and caller.robot_id != robot_id:
        raise Denied(403, f"robot_id: this key is of {caller.robot_id}, and speaks for no other robot")
    if caller.kind == "demo" or caller.service == "ingest":
        known = robot_id in known_robots({robot_id}, monotonic_s=time.monotonic())
        if not known:
            _register(caller, robot_id)
        if caller.kind == "demo":
            return
    need(caller, Action.WRITE, robot_id)


def _register(caller: Caller, robot_id: str) -> None:
    """Robots from before there was a list of them keep working: they are written into it when they first speak."""
    if robot_id in RESERVED:
        raise Denied(403, f"robot_id: {robot_id} is kept for Croody's own account: choose another")
    organisation = Organisation.objects.order_by("pk").first()
    if organisation is None:
        organisation, _ = Organisation.objects.get_or_create(slug="default", defaults={"name": "Croody"})
    try:
        robot, _ = Robot.objects.get_or_create(pk=robot_id, defaults={"organisation": organisation, "shared": caller.kind == "demo"})
    except IntegrityError:
        robot = Robot.objects.get(pk=robot_id)
    if robot.deleted_at is not None and (caller.kind == "demo" or robot.organisation_id == organisation.pk):
        raise Denied(403, f"robot_id: {robot_id} was revoked: `croody robot add {robot_id}` on the server brings it back")
