"""How a robot comes, gets a new secret, goes and comes back. Its secret is in one answer and in none after it."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Status

from croody.accounts.caller import actor_of
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Conflict, Problem, Wrong
from croody.api.fleet import RobotId, router, shown
from croody.api.request_bodies import NewRobotIn, ReturnIn
from croody.api.schemas import RevokedOut, RobotSecretOut, RotationOut
from croody.api.sites import site_of
from croody.commands.models import Outgoing
from croody.enrolment import rotation
from croody.fleet import adding, services
from croody.fleet.access import Action, asking, need
from croody.fleet.models import Robot
from croody.telemetry.read.capabilities import can
from croody.web.refusals import Denied

_SECRET: Final[dict[int, Any]] = {200: RobotSecretOut, 404: Problem, 409: Problem, **ERRORS}
_MADE: Final[dict[int, Any]] = {201: RobotSecretOut, 404: Problem, 409: Problem, **ERRORS}


@router.post("/robots", auth=Asks(Action.CONFIGURE), response=_MADE, summary="Add a robot")
def add(request: HttpRequest, body: NewRobotIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Its secret is told here and never again. Whoever shares it with the public, too, is an owner."""
    caller, actor, now = asking(request), actor_of(request, asking(request)), timezone.now()
    organisation = adding.organisation_for(caller, body.organisation)
    if body.shared and not adding.administers(caller, organisation):
        raise Denied(403, "shared: only owners of the organisation share a robot with the public: add it without")
    _is_free(body.robot_id, strange=adding.is_strange(caller, body.robot_id))
    said: dict[str, Any] = {
        "kind": body.kind,
        "shared": body.shared,
        "site": site_of(organisation.pk, body.site),
        "now": now,
        "actor": actor,
    }
    try:
        with transaction.atomic():
            robot, secret = services.add_robot(body.robot_id, organisation=organisation, **said)
            services.set_label(robot, body.label, actor=actor, now=now)
    except services.BadRobot as error:
        raise Wrong.said(str(error)) from error
    return Status(201, _told(request, response, robot, secret, now))


@router.post("/robots/{robot_id}/secret", auth=Asks(Action.CONFIGURE), response=_SECRET, summary="Give a robot a new secret")
def rotate(request: HttpRequest, robot_id: RobotId, response: HttpResponse) -> dict[str, Any]:
    """The old one stops working within a second. The new one is told here and never again."""
    robot, now = need(asking(request), Action.CONFIGURE, robot_id), timezone.now()
    secret = services.rotate_secret(robot, now=now, actor=actor_of(request, asking(request)))
    return _told(request, response, robot, secret, now)


@router.post(
    "/robots/{robot_id}/secret/rotation",
    auth=Asks(Action.CONFIGURE),
    response={201: RotationOut, 404: Problem, **ERRORS},
    summary="Ask a robot to change its secret by itself",
)
def ask_to_rotate(request: HttpRequest, robot_id: RobotId) -> Status[dict[str, Any]]:
    """It makes one, which never leaves its board; the old one is good until it has come in by it. What is under way is not begun twice."""
    robot, now = need(asking(request), Action.CONFIGURE, robot_id), timezone.now()
    try:
        row = rotation.ask(robot, can=can(robot.pk, rotation.ROTATE), actor=actor_of(request, asking(request)), now=now)
    except services.BadRobot as error:
        raise Wrong.said(str(error)) from error
    return Status(201, _rotation(robot.pk, row))


@router.get(
    "/robots/{robot_id}/secret/rotation",
    auth=Asks(Action.CONFIGURE),
    response={200: RotationOut, 404: Problem, **ERRORS},
    summary="What became of it",
)
def last_rotation(request: HttpRequest, robot_id: RobotId) -> dict[str, Any]:
    """Of the one that was asked for last."""
    robot = need(asking(request), Action.CONFIGURE, robot_id)
    return _rotation(robot.pk, rotation.newest(robot.pk))


@router.delete(
    "/robots/{robot_id}", auth=Asks(Action.ADMINISTER), response={200: RevokedOut, 404: Problem, **ERRORS}, summary="Shut a robot out"
)
def revoke(request: HttpRequest, robot_id: RobotId) -> dict[str, Any]:
    """Its secret stops working within a second; its readings stay. It can be brought back."""
    robot, now = need(asking(request), Action.ADMINISTER, robot_id), timezone.now()
    services.revoke(robot, now=now, actor=actor_of(request, asking(request)))
    return {"robot_id": robot.pk, "revoked_at": now}


@router.post(
    "/robots/{robot_id}/bring-back", auth=Asks(Action.ADMINISTER), response=_SECRET, summary="Let a robot in again that was shut out"
)
def bring_back(request: HttpRequest, robot_id: RobotId, body: ReturnIn, response: HttpResponse) -> dict[str, Any]:
    """With a new secret, told here and never again. What came before is told apart: it is an earlier robot's of this name."""
    robot, now = adding.to_bring_back(asking(request), robot_id), timezone.now()
    site = site_of(robot.organisation_id, body.site) if "site" in body.model_fields_set else robot.site
    said: dict[str, Any] = {"kind": body.kind or robot.kind, "site": site, "now": now, "actor": actor_of(request, asking(request))}
    try:
        robot, secret = services.add_robot(robot.pk, organisation=robot.organisation, **said)
    except services.BadRobot as error:
        raise Wrong.said(str(error)) from error
    return _told(request, response, robot, secret, now)


def _is_free(robot_id: str, *, strange: bool) -> None:
    """Nobody else's robot has this name. Of another organisation's no more is told than that."""
    there = Robot.objects.filter(pk=robot_id).first()
    if strange or (there is not None and there.deleted_at is None):
        raise Conflict(f"robot_id: {robot_id} is in use: choose another", "taken")
    if there is not None:
        raise Conflict(f"robot_id: {robot_id} was revoked: POST /api/v1/robots/{robot_id}/bring-back lets it in again", "revoked")


def _rotation(robot_id: str, row: Outgoing | None) -> dict[str, Any]:
    if row is None:
        return {"robot_id": robot_id, "state": "never", "detail": "", "asked_at": None, "expires_at": None, "answered_at": None}
    return {
        "robot_id": robot_id,
        "state": row.answer_state or "asked",
        "detail": row.answer_detail,
        "asked_at": row.created_at,
        "expires_at": row.expires_at,
        "answered_at": row.answered_at,
    }


def _told(request: HttpRequest, response: HttpResponse, robot: Robot, secret: str, now: datetime) -> dict[str, Any]:
    response["Cache-Control"] = "no-store"
    found = Robot.objects.select_related("organisation", "site").get(pk=robot.pk)
    return {"robot": shown([found], asking(request), now)[0], "secret": secret}
