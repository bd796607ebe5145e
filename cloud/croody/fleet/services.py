"""Every write to the fleet. Knows its own tables and the contract, never HTTP, MQTT or telemetry's tables."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from croody.fleet.models import Credential, Listening, Membership, Organisation, Outgoing, Robot, Site
from croody_contract import mosquitto, topics
from croody_contract.messages import Answer
from croody_contract.messages import Outgoing as OutgoingMessage
from croody_contract.relay import DueItem

#: Wait before the next send, by how often a row was sent already, in seconds; the last one repeats.
BACKOFF_S: Final = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
#: The bridge asks this often, in seconds: rows are published within half a second.
POLL_S: Final = 0.4
#: Names at the broker that no robot may take.
RESERVED: Final = frozenset({mosquitto.BRIDGE_USER})
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{1,31}")
_LISTENED_EVERY = timedelta(seconds=2)
_LISTENING_BREAK = timedelta(seconds=10)


class BadRobot(ValueError):
    """A robot that cannot be made or found; names the value, the rule and the remedy."""


class BadOrganisation(ValueError):
    """An organisation that cannot be told; names the value and the remedy."""


def organisation(slug: str | None) -> Organisation:
    """The one of this name; without a name the only one there is, made when there is none yet.

    Raises:
        BadOrganisation: none has this name, or there are several to choose from.
    """
    found = list(Organisation.objects.filter(**({"slug": slug} if slug else {}))[:2])
    if len(found) == 1:
        return found[0]
    if not found and slug is None:
        return Organisation.objects.create(name="Croody", slug="croody")
    known = ", ".join(Organisation.objects.values_list("slug", flat=True)) or "none yet: leave --organisation out"
    raise BadOrganisation(f"organisation {slug or '(none given)'}: use --organisation with one of: {known}")


def join(user: User, organisation: Organisation, *, role: Membership.Role) -> None:
    """Put a person into an organisation; one who is there already has this role from now on."""
    Membership.objects.update_or_create(user=user, organisation=organisation, defaults={"role": role})


def leave(user: User, organisation: Organisation) -> bool:
    """Take a person out of an organisation. False when they were not in it."""
    return Membership.objects.filter(user=user, organisation=organisation).delete()[0] > 0


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
    """Shut the robot out, ending what was still to be sent to it. Its readings stay."""
    with transaction.atomic():
        Credential.objects.filter(robot=robot).delete()
        Robot.objects.filter(pk=robot.pk, deleted_at=None).update(deleted_at=now)
        Outgoing.objects.filter(robot=robot, answered_at=None).update(
            answered_at=now, answer_state="expired", answer_detail="robot revoked"
        )


def send(robot: Robot | str, kind: str, payload: dict[str, Any], expires_at: datetime, *, now: datetime) -> Outgoing:
    """Queue something for a robot: published within half a second, and again until it answers or `expires_at`.

    Raises:
        BadRobot: no such robot, or it was revoked.
        ValueError: a kind or an expiry that the contract does not carry.
    """
    robot_id = robot if isinstance(robot, str) else robot.robot_id
    if not _KIND.fullmatch(kind):
        raise ValueError(f"kind {kind[:40]!r}: use 2 to 32 lower-case letters, digits or '_', a letter first")
    if expires_at <= now:
        raise ValueError(f"expires_at {expires_at.isoformat()}: is not after now ({now.isoformat()}): give the robot time to answer")
    if not Robot.objects.filter(pk=robot_id, deleted_at=None).exists():
        raise BadRobot(f"robot_id {robot_id}: no such robot: see `croody robot list`")
    return Outgoing.objects.create(robot_id=robot_id, kind=kind, payload=payload, expires_at=expires_at, next_at=now)


def due_outgoing(now: datetime, limit: int = 200) -> list[DueItem]:
    """Claim the rows that are due and mark them sent: two callers at once never get the same row.

    PostgreSQL skips rows that another caller holds; on SQLite the transaction owns the database from its start.
    """
    _listened(now)
    if not _due(now).exists():
        return []
    with transaction.atomic():
        rows = list(_due(now).select_for_update(skip_locked=True).order_by("next_at", "pk")[:limit])
        for attempts in {row.attempts for row in rows}:
            again_at = now + timedelta(seconds=BACKOFF_S[min(attempts, len(BACKOFF_S) - 1)])
            claimed = Outgoing.objects.filter(pk__in=[row.pk for row in rows if row.attempts == attempts])
            claimed.update(attempts=F("attempts") + 1, sent_at=now, next_at=again_at)
    return list(_messages(rows))


def answer(robot_id: str, outgoing_id: int, said: Answer, *, now: datetime) -> bool:
    """Book a robot's answer. False when there is no such open row of this robot, as for a repeated answer.

    `received` stops the repeats and leaves the row open; every other state closes it for good.
    """
    row = Outgoing.objects.filter(pk=outgoing_id, robot_id=robot_id, answered_at=None)
    if said.state == "received":
        return row.update(answer_state=said.state, answer_detail=said.detail, next_at=F("expires_at")) > 0
    return row.update(answer_state=said.state, answer_detail=said.detail, answered_at=now) > 0


def _new_credential(robot: Robot) -> str:
    secret = secrets.token_urlsafe(32)
    Credential.objects.create(robot=robot, mqtt_hash=mosquitto.hash_secret(secret), sha256=sha256_of(secret))
    return secret


def sha256_of(secret: str) -> str:
    """How a secret is kept for the HTTP API. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _due(now: datetime) -> QuerySet[Outgoing]:
    return Outgoing.objects.filter(answered_at=None, next_at__lte=now, expires_at__gt=now)


def _messages(rows: Iterable[Outgoing]) -> Iterable[DueItem]:
    for row in rows:
        yield DueItem(
            robot_id=row.robot_id, outgoing=OutgoingMessage(id=row.pk, kind=row.kind, payload=row.payload, expires_at=row.expires_at)
        )


def _listened(now: datetime) -> None:
    """Keep book of since when a bridge hears the broker without a break: it asks for outgoing rows only while it does."""
    known = Listening.objects.filter(pk=Listening.ONLY).values_list("since", "at").first()
    if known is None:
        Listening.objects.bulk_create([Listening(pk=Listening.ONLY, since=now, at=now)], ignore_conflicts=True)
    elif now - known[1] > _LISTENING_BREAK:
        Listening.objects.filter(pk=Listening.ONLY).update(since=now, at=now)
    elif now - known[1] >= _LISTENED_EVERY:
        Listening.objects.filter(pk=Listening.ONLY).update(at=now)
