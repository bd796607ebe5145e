"""Every write to the fleet. Knows its own tables and the contract, never HTTP, MQTT or telemetry's tables."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.models import Organisation
from croody.audit.actor import SYSTEM, Actor
from croody.audit.services import record
from croody.fleet.models import Claim, Credential, NextCredential, Robot, Site
from croody_contract import mosquitto, topics
from croody_contract.claims import SecretHashes

#: Names that no robot may take: the bridge's at the broker, and the page where robots are added, which stands where theirs do.
RESERVED: Final = frozenset({mosquitto.BRIDGE_USER, "new"})
#: What people may write about a robot: characters, and how many tags.
MOST_LABEL_CHARS: Final = 80
MOST_TAG_CHARS: Final = 32
MOST_TAGS: Final = 12
MOST_NOTES_CHARS: Final = 4000
MOST_REASON_CHARS: Final = 200
#: Nobody works on a robot for longer without saying so again.
LONGEST_MAINTENANCE: Final = timedelta(days=30)
#: Sent inside the transaction that shuts a robot out; with `robot` and `now`.
robot_revoked: Final = Signal()
#: Sent inside the transaction that gives a robot another secret from outside; with `robot` and `now`.
secret_replaced: Final = Signal()


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
    prepare: Callable[[Robot], object] | None = None,
    now: datetime | None = None,
    actor: Actor = SYSTEM,
) -> tuple[Robot, str]:
    """Make a robot and its credential, or bring one back that was revoked. The secret is returned here and never again.

    `prepare`: called in between, in the same transaction.

    Raises:
        BadRobot: the id breaks the topic rules, is reserved, is taken, or may not come back like this.
    """
    with transaction.atomic():
        said: dict[str, Any] = {"site": site, "kind": kind, "shared": shared, "borrowed": borrowed, "now": now, "actor": actor}
        robot = register_robot(robot_id, organisation=organisation, **said)
        if prepare is not None:
            prepare(robot)
        return robot, _new_credential(robot)


def register_robot(
    robot_id: str,
    *,
    organisation: Organisation,
    site: Site | None = None,
    kind: str = "robot",
    shared: bool = False,
    borrowed: bool = False,
    now: datetime | None = None,
    actor: Actor = SYSTEM,
) -> Robot:
    """The same without a secret: its board makes one, by a claim.

    Raises:
        BadRobot: as `add_robot`.
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
        return robot


def _may_return(robot: Robot, organisation: Organisation, *, shared: bool) -> None:
    """Who was there before must be gone, and nobody may see its readings now who might not then.

    Raises:
        BadRobot: not so.
    """
    said = {"id": robot.robot_id}
    if robot.deleted_at is None:
        raise BadRobot(
            _("robot_id %(id)s: ya existe: elige otro, o dale un secreto nuevo en su página, o con `croody robot rotate %(id)s`") % said
        )
    if robot.organisation_id != organisation.pk:
        raise BadRobot(_("robot_id %(id)s: fue de otra organización, que tiene lecturas suyas: elige otro") % said)
    if shared and not robot.shared:
        raise BadRobot(_("robot_id %(id)s: las lecturas de antes no eran públicas: agrégalo sin --shared, o elige otro") % said)


def rotate_secret(robot: Robot, *, now: datetime | None = None, actor: Actor = SYSTEM) -> str:
    """A new secret for the robot; the old one stops working within a second. Returned here and never again."""
    now = now or timezone.now()
    with transaction.atomic():
        _let_go(robot, now)
        _note(robot, "rotate", actor, now)
        return _new_credential(robot)


def revoke(robot: Robot, *, now: datetime, actor: Actor = SYSTEM) -> None:
    """Shut the robot out; what listens to `robot_revoked` ends what was under way. Its readings stay."""
    with transaction.atomic():
        _let_go(robot, now)
        Claim.objects.filter(robot=robot, revoked_at=None).update(revoked_at=now)
        if Robot.objects.filter(pk=robot.pk, deleted_at=None).update(deleted_at=now):
            _note(robot, "revoke", actor, now)
        robot_revoked.send(Robot, robot=robot, now=now)


def _note(robot: Robot, verb: str, actor: Actor, now: datetime, *, after: dict[str, Any] | None = None) -> None:
    record(actor, verb, "robot", robot.robot_id, organisation_id=robot.organisation_id, after=after, now=now)


def _new_credential(robot: Robot) -> str:
    secret = secrets.token_urlsafe(32)
    Credential.objects.create(robot=robot, mqtt_hash=mosquitto.hash_secret(secret), sha256=sha256_of(secret))
    return secret


def _let_go(robot: Robot, now: datetime) -> None:
    """End every secret of it, also one that it was about to come in by. Whoever promotes one meanwhile comes before or after."""
    # What listens locks commands, and whoever books an answer locks the robot after that: here, too, or two would wait for each other.
    secret_replaced.send(Robot, robot=robot, now=now)
    Robot.objects.select_for_update().filter(pk=robot.pk).first()
    Credential.objects.filter(robot=robot).delete()
    NextCredential.objects.filter(robot=robot).delete()


def keep_hashes(robot: Robot, hashes: SecretHashes, *, now: datetime) -> None:
    """Let the robot in by the secret that its board made, and by no other."""
    _let_go(robot, now)
    Credential.objects.create(robot=robot, mqtt_hash=hashes.mqtt_hash, sha256=hashes.sha256)


def sha256_of(secret: str) -> str:
    """How a secret is kept for the HTTP API. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def set_label(robot: Robot, label: str, *, actor: Actor, now: datetime) -> None:
    """What its team calls it; empty: by its id alone.

    Raises:
        BadRobot: it is too long, or more than a line.
    """
    _change(robot, "label", {"label": _line(_("nombre"), label, MOST_LABEL_CHARS)}, actor, now)


def set_tags(robot: Robot, tags: Iterable[str], *, actor: Actor, now: datetime) -> None:
    """Words that its team finds it by, in their order and each once.

    Raises:
        BadRobot: there are too many, or one is too long or holds a comma.
    """
    wanted = list(dict.fromkeys(tag for tag in (_line(_("etiqueta"), text, MOST_TAG_CHARS) for text in tags) if tag))
    if len(wanted) > MOST_TAGS:
        raise BadRobot(_("etiquetas: un robot lleva %(most)s como mucho; escribiste %(count)s") % {"most": MOST_TAGS, "count": len(wanted)})
    with_comma = next((tag for tag in wanted if "," in tag), None)
    if with_comma is not None:
        raise BadRobot(_("etiqueta %(tag)s: una coma separa etiquetas: quítala") % {"tag": with_comma})
    _change(robot, "tag", {"tags": wanted}, actor, now)


def set_notes(robot: Robot, notes: str, *, actor: Actor, now: datetime) -> None:
    """What whoever works with it next should know.

    Raises:
        BadRobot: they are too long.
    """
    text = notes.replace("\r\n", "\n").replace("\x00", "").strip()
    if len(text) > MOST_NOTES_CHARS:
        said = {"most": MOST_NOTES_CHARS, "count": len(text)}
        raise BadRobot(_("notas: caben %(most)s caracteres; escribiste %(count)s") % said)
    _change(robot, "note", {"notes": text}, actor, now)


def start_maintenance(robot: Robot, *, until: datetime, reason: str, actor: Actor, now: datetime) -> None:
    """Somebody works on it until then, or until they say that it is over: nothing of it asks for anybody meanwhile.

    Said again, it lasts until the new time.

    Raises:
        BadRobot: that is over already, or too far away; the reason is too long.
    """
    if not now < until <= now + LONGEST_MAINTENANCE:
        said = {"until": until.isoformat(timespec="minutes"), "days": LONGEST_MAINTENANCE.days}
        raise BadRobot(_("mantenimiento hasta %(until)s: elige un momento de los próximos %(days)s días") % said)
    since = robot.maintenance_since if robot.maintenance_until is not None and robot.maintenance_until > now else None
    values: dict[str, Any] = {
        "maintenance_until": until,
        "maintenance_since": since or now,
        "maintenance_by": actor.name[:150],
        "maintenance_reason": _line(_("motivo"), reason, MOST_REASON_CHARS),
    }
    _change(robot, "start_maintenance", values, actor, now)


def end_maintenance(robot: Robot, *, actor: Actor, now: datetime) -> None:
    """The work is done. Nothing happens when nobody was at it."""
    values = {"maintenance_until": None, "maintenance_since": None, "maintenance_by": "", "maintenance_reason": ""}
    _change(robot, "end_maintenance", values, actor, now)


def move_to_site(robot: Robot, site: Site | None, *, actor: Actor, now: datetime) -> None:
    """Where it works from now on; None: nowhere in particular.

    Raises:
        BadRobot: the site is another organisation's.
    """
    if site is not None and site.organisation_id != robot.organisation_id:
        raise BadRobot(_("sitio %(site)s: es de otra organización: elige uno de los de este robot") % {"site": site.slug})
    _change(robot, "move", {"site": site}, actor, now)


def share(robot: Robot, shared: bool, *, actor: Actor, now: datetime) -> None:
    """Let the public see it and its readings, those of before too; or no more."""
    _change(robot, "share" if shared else "unshare", {"shared": shared}, actor, now)


def _change(robot: Robot, verb: str, values: dict[str, Any], actor: Actor, now: datetime) -> None:
    """Write these fields and note what they were; nothing, when they are that already."""
    with transaction.atomic():
        # What is noted as before is what was there, whoever changed it meanwhile.
        row = Robot.objects.select_for_update(of=("self",)).select_related("site").get(pk=robot.pk)
        before = {name: getattr(row, name) for name in values}
        changed = {name: value for name, value in values.items() if before[name] != value}
        if changed:
            Robot.objects.filter(pk=robot.pk).update(**changed)
            told = [{name: _said(of[name]) for name in changed} for of in (before, values)]
            record(actor, verb, "robot", robot.pk, organisation_id=robot.organisation_id, before=told[0], after=told[1], now=now)
    for name, value in values.items():
        setattr(robot, name, value)


def _said(value: Any) -> Any:
    if isinstance(value, Site):
        return value.slug
    return value.isoformat() if isinstance(value, datetime) else value


def _line(what: str, text: str, most: int) -> str:
    """One line of people's words.

    Raises:
        BadRobot: it is longer than `most`.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(line) > most:
        raise BadRobot(_("%(what)s: caben %(most)s caracteres; escribiste %(count)s") % {"what": what, "most": most, "count": len(line)})
    return line
