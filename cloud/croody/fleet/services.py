"""Every write to the fleet. Knows its own tables and the contract, never HTTP, MQTT or telemetry's tables."""

import hashlib
import secrets
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.models import Organisation
from croody.audit.actor import SYSTEM, Actor
from croody.audit.services import record
from croody.fleet.models import Credential, Robot, Site
from croody_contract import mosquitto, topics

#: Names at the broker that no robot may take.
RESERVED: Final = frozenset({mosquitto.BRIDGE_USER})
#: Sent inside the transaction that shuts a robot out; with `robot` and `now`.
robot_revoked: Final = Signal()


class BadRobot(ValueError):
    """A robot that cannot be made or found; names the value, the rule and the remedy."""


def add_robot(
    robot_id: str,
    *,
    organisation: Organisation,
    site: Site | None = None,
    kind: str = "robot",
    shared: bool = False,
    borrowed: bool = False,
    now: datetime | None = None,
    actor: Actor = SYSTEM,
) -> tuple[Robot, str]:
    """Make a robot and its credential, or bring one back that was revoked. The secret is returned here and never again.

    Raises:
        BadRobot: the id breaks the topic rules, is reserved, is taken, or may not come back like this.
    """
    if robot_id in RESERVED:
        raise BadRobot(_("robot_id %(id)s: es de la propia cuenta de Croody: elige otro") % {"id": robot_id})
    try:
        topics.check_robot_id(robot_id)
    except topics.BadTopic as error:
        raise BadRobot(_("robot_id %(id)r: usa de 3 a 64 letras, dígitos, «_» o «-»") % {"id": robot_id[:80]}) from error
    if site is not None and site.organisation_id != organisation.pk:
        raise BadRobot(
            _("sitio %(site)s: es de otra organización que %(organisation)s: elige uno de sus propios sitios")
            % {"site": site.slug, "organisation": organisation.slug}
        )
    now = now or timezone.now()
    with transaction.atomic():
        robot, made = Robot.objects.get_or_create(
            robot_id=robot_id, defaults={"organisation": organisation, "site": site, "kind": kind, "shared": shared, "borrowed": borrowed}
        )
        if not made:
            robot = Robot.objects.select_for_update().get(pk=robot_id)
            _may_return(robot, organisation, shared=shared)
            robot.site, robot.kind, robot.shared, robot.borrowed = site, kind, shared, borrowed
            robot.deleted_at, robot.returned_at = None, now
            robot.save(update_fields=["site", "kind", "shared", "borrowed", "deleted_at", "returned_at"])
        after = {"kind": kind, "site": site.slug if site else None, "shared": shared}
        _note(robot, "add" if made else "bring_back", actor, now, after=after)
        return robot, _new_credential(robot)


def _may_return(robot: Robot, organisation: Organisation, *, shared: bool) -> None:
    """Who was there before must be gone, and nobody may see its readings now who might not then.

    Raises:
        BadRobot: not so.
    """
    said = {"id": robot.robot_id}
    if robot.deleted_at is None:
        raise BadRobot(_("robot_id %(id)s: ya existe: elige otro, o `croody robot rotate %(id)s` para un secreto nuevo") % said)
    if robot.organisation_id != organisation.pk:
        raise BadRobot(_("robot_id %(id)s: fue de otra organización, que tiene lecturas suyas: elige otro") % said)
    if shared and not robot.shared:
        raise BadRobot(_("robot_id %(id)s: las lecturas de antes no eran públicas: agrégalo sin --shared, o elige otro") % said)


def rotate_secret(robot: Robot, *, now: datetime | None = None, actor: Actor = SYSTEM) -> str:
    """A new secret for the robot; the old one stops working within a second. Returned here and never again."""
    with transaction.atomic():
        Credential.objects.filter(robot=robot).delete()
        _note(robot, "rotate", actor, now or timezone.now())
        return _new_credential(robot)


def revoke(robot: Robot, *, now: datetime, actor: Actor = SYSTEM) -> None:
    """Shut the robot out; what listens to `robot_revoked` ends what was under way. Its readings stay."""
    with transaction.atomic():
        Credential.objects.filter(robot=robot).delete()
        if Robot.objects.filter(pk=robot.pk, deleted_at=None).update(deleted_at=now):
            _note(robot, "revoke", actor, now)
        robot_revoked.send(Robot, robot=robot, now=now)


def _note(robot: Robot, verb: str, actor: Actor, now: datetime, *, after: dict[str, Any] | None = None) -> None:
    record(actor, verb, "robot", robot.robot_id, organisation_id=robot.organisation_id, after=after, now=now)


def _new_credential(robot: Robot) -> str:
    secret = secrets.token_urlsafe(32)
    Credential.objects.create(robot=robot, mqtt_hash=mosquitto.hash_secret(secret), sha256=sha256_of(secret))
    return secret


def sha256_of(secret: str) -> str:
    """How a secret is kept for the HTTP API. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
