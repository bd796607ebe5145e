"""Who may add which robot to whom: asked by the wizard and by the API before `services.add_robot`, which knows no callers. Reads only."""

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.fleet.access import Action, names_of, organisations
from croody.fleet.models import Robot
from croody.web.refusals import Denied


def revoked(robot_id: str) -> Robot | None:
    """The robot that had this name and was shut out."""
    return Robot.objects.filter(pk=robot_id, deleted_at__isnull=False).first()


def is_strange(caller: Caller, robot_id: str) -> bool:
    """Say whether another organisation's robot has this name: then nothing more is told of it."""
    robot = Robot.objects.filter(pk=robot_id).first()
    return robot is not None and not organisations(caller, Action.INSPECT).filter(pk=robot.organisation_id).exists()


def administers(caller: Caller, organisation: Organisation) -> bool:
    """Say whether this caller decides who has the robots of this organisation."""
    return organisations(caller, Action.ADMINISTER).filter(pk=organisation.pk).exists()


def organisation_for(caller: Caller, slug: str) -> Organisation:
    """Where a robot is to be added.

    Raises:
        Denied: 404, none that they may know of; 403, they may not add one there.
    """
    found = organisations(caller, Action.SEE).filter(slug=slug).first()
    if found is None:
        raise Denied(404, f"organisation: there is no {slug[:64]!r} that you may see")
    if not organisations(caller, Action.CONFIGURE).filter(pk=found.pk).exists():
        raise Denied(403, f"organisation: you are in {slug}, but only its {names_of(Action.CONFIGURE)} add robots to it")
    return found


def to_bring_back(caller: Caller, robot_id: str) -> Robot:
    """A robot that was shut out, when the caller may let it in again.

    Raises:
        Denied: 404, there is none that they may know of; 403, they may not.
    """
    robot = None if "\x00" in robot_id else revoked(robot_id)
    if robot is None or is_strange(caller, robot_id):
        raise Denied(404, f"robot_id: there is no revoked robot {robot_id[:64]!r} that you may see")
    if not administers(caller, robot.organisation):
        raise Denied(403, f"robot_id: only {names_of(Action.ADMINISTER)} of its organisation bring {robot_id} back")
    return robot
