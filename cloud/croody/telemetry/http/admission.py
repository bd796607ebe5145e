"""Which robot a reading over HTTP is booked for: known ones, and legacy ones that are met for the first time."""

import time

from django.db import IntegrityError

from croody.accounts.models import Organisation
from croody.fleet.models import Robot
from croody.fleet.queries import known_robots
from croody.fleet.services import RESERVED
from croody.telemetry.http.access import Caller, Denied, may_act, visible


def admit(caller: Caller, robot_id: str) -> None:
    """Let a reading of `robot_id` in, or say why not.

    Raises:
        Denied: 401 without a key, 403 for another's robot, 404 for one that the caller may not know of.
    """
    match caller.kind:
        case "robot":
            if caller.robot_id != robot_id:
                raise Denied(403, f"robot_id: this key is of {caller.robot_id}, and speaks for no other robot")
        case "user":
            robot = visible(caller).filter(pk=robot_id).first()
            if robot is None:
                raise Denied(404, f"robot_id: you have no robot {robot_id}")
            if not may_act(caller, robot):
                raise Denied(403, f"robot_id: you may see {robot_id}, but only its operators may write for it")
        case "demo" | "ingest":
            if robot_id not in known_robots({robot_id}, monotonic_s=time.monotonic()):
                _register(robot_id, shared=caller.kind == "demo")
        case _:
            raise Denied(401, "X-API-Key: needed to write: the shared ingest token, a robot's secret or a personal token")


def _register(robot_id: str, *, shared: bool) -> None:
    """Robots from before there was a list of them keep working: they are written into it when they first speak."""
    if robot_id in RESERVED:
        raise Denied(403, f"robot_id: {robot_id} is kept for Croody's own account: choose another")
    organisation = Organisation.objects.order_by("pk").first()
    if organisation is None:
        organisation, _ = Organisation.objects.get_or_create(slug="default", defaults={"name": "Croody"})
    try:
        robot, _ = Robot.objects.get_or_create(pk=robot_id, defaults={"organisation": organisation, "shared": shared})
    except IntegrityError:
        robot = Robot.objects.get(pk=robot_id)
    if robot.deleted_at is not None:
        raise Denied(403, f"robot_id: {robot_id} was revoked")
