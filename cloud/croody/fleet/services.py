"""Every write to the fleet. Knows its own tables and the contract, never HTTP, MQTT or telemetry's tables."""

import hashlib
import secrets
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.dispatch import Signal

from croody.accounts.models import Organisation
from croody.fleet.models import Credential, Robot, Site
from croody_contract import mosquitto, topics

#: Names at the broker that no robot may take.
RESERVED: Final = frozenset({mosquitto.BRIDGE_USER})
#: Sent inside the transaction that shuts a robot out; with `robot` and `now`.
robot_revoked: Final = Signal()


class BadRobot(ValueError):
    """A robot that cannot be made or found; names the value, the rule and the remedy."""


def add_robot(
    robot_id: str, *, organisation: Organisation, site: Site | None = None, kind: str = "robot", shared: bool = False
) -> tuple[Robot, str]:
    """Make a robot and its credential. The secret is returned here and never again.

    Raises:
        BadRobot: the id breaks the topic rules, is reserved or is taken.
    """
    if robot_id in RESERVED:
        raise BadRobot(f"robot_id {robot_id}: kept for Croody's own account: choose another")
    try:
        topics.check_robot_id(robot_id)
    except topics.BadTopic as error:
        raise BadRobot(str(error)) from error
    if site is not None and site.organisation_id != organisation.pk:
        raise BadRobot(f"site {site.slug}: belongs to another organisation than {organisation.slug}: choose one of its own sites")
    try:
        with transaction.atomic():
            robot = Robot.objects.create(robot_id=robot_id, organisation=organisation, site=site, kind=kind, shared=shared)
            return robot, _new_credential(robot)
    except IntegrityError as error:
        raise BadRobot(f"robot_id {robot_id}: is taken: choose another, or `croody robot rotate {robot_id}` for a new secret") from error


def rotate_secret(robot: Robot) -> str:
    """A new secret for the robot; the old one stops working within a second. Returned here and never again."""
    with transaction.atomic():
        Credential.objects.filter(robot=robot).delete()
        return _new_credential(robot)


def revoke(robot: Robot, *, now: datetime) -> None:
    """Shut the robot out; what listens to `robot_revoked` ends what was under way. Its readings stay."""
    with transaction.atomic():
        Credential.objects.filter(robot=robot).delete()
        Robot.objects.filter(pk=robot.pk, deleted_at=None).update(deleted_at=now)
        robot_revoked.send(Robot, robot=robot, now=now)


def _new_credential(robot: Robot) -> str:
    secret = secrets.token_urlsafe(32)
    Credential.objects.create(robot=robot, mqtt_hash=mosquitto.hash_secret(secret), sha256=sha256_of(secret))
    return secret


def sha256_of(secret: str) -> str:
    """How a secret is kept for the HTTP API. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
