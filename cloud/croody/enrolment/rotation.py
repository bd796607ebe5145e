"""A robot changes its secret by itself: it is asked, makes one, comes in by it, and the old one dies. If it does not, the old one stays.

    asked -> received (hashes of the new one: the broker takes that one) -> done (the robot came in by it: the old one is dead)

Whoever is killed at any step, the command is said again until it is done or its time is over, and then the old secret counts as before.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.audit.actor import SYSTEM, Actor
from croody.audit.services import record
from croody.commands.models import Outgoing
from croody.commands.services import end_open, open_outgoing, send
from croody.enrolment.kinds import ROTATION_UNFINISHED
from croody.fleet import rotation
from croody.fleet.models import Credential, NextCredential, Robot
from croody.fleet.services import BadRobot
from croody_contract.limits import ROTATION_S
from croody_contract.messages import Answer, Rotate

#: The kind of the command, which an agent announces that can do it.
ROTATE: Final = "rotate"
#: From being asked to being done.
LASTS: Final = timedelta(seconds=ROTATION_S)
#: Rows that ran out longer ago than this were seen to, however long the worker was away.
LOOKS_BACK: Final = timedelta(days=7)
#: Ended in one transaction each.
_AT_ONCE: Final = 200
_COPIED: Final = "credential_copied"


def ask(robot: Robot, *, can: bool, actor: Actor, now: datetime) -> Outgoing:
    """Ask a robot to change its secret by itself. One that was asked for already is not asked twice.

    Args:
        robot: which.
        can: whether its agent announced that it can.
        actor: who asks.
        now: when.

    Raises:
        BadRobot: it cannot, or must not now.
    """
    said = {"id": robot.pk}
    if not can:
        why = _(
            "robot_id %(id)s: su agente no puede cambiar su secreto solo (va por HTTP, o lo lleva en sus ajustes): dale otro, o un pase"
        )
        raise BadRobot(why % said)
    with transaction.atomic():
        locked = Robot.objects.select_for_update().get(pk=robot.pk)
        waiting = open_outgoing(robot.pk, ROTATE, now=now)
        if waiting:
            return waiting[-1]
        if Alarm.objects.filter(robot_id=robot.pk, kind=_COPIED, resolved_at=None).exists():
            # Both would be asked, and whichever is faster would be the robot.
            raise BadRobot(_("robot_id %(id)s: su secreto está en dos sitios: haz un pase para el robot que deba seguir") % said)
        if not Credential.objects.filter(robot=robot).exists():
            raise BadRobot(_("robot_id %(id)s: no tiene secreto que cambiar: haz un pase") % said)
        row = send(locked, ROTATE, msgspec.to_builtins(Rotate(secrets.token_urlsafe(12))), now + LASTS, now=now)
        record(actor, "ask_rotate", "robot", robot.pk, organisation_id=robot.organisation_id, now=now)
    return row


def newest(robot_id: str) -> Outgoing | None:
    """The one that was asked for last, whatever became of it."""
    return Outgoing.objects.filter(robot_id=robot_id, kind=ROTATE).order_by("-expires_at").first()


def on_answer(robot_id: str, number: int, said: Answer, now: datetime) -> None:
    """What an agent's answer changes. One that comes late, or once more, changes nothing. Inside the transaction that books it."""
    if said.state == "received":
        until = Outgoing.objects.values_list("expires_at", flat=True).get(pk=number)
        if said.hashes is not None:
            rotation.offer(robot_id, said.hashes, outgoing=number, until=until, now=now)
    elif said.state == "done" and rotation.promote(robot_id, outgoing=number, now=now):
        _note(robot_id, "rotate_itself", Actor("robot", name=robot_id), now)
        resolve_alarm(robot_id, ROTATION_UNFINISHED.code, "", now)
    else:
        why = {"why": "refused", "said": said.detail[:300]} if said.state == "refused" else {"why": "unproven"}
        _unfinished(robot_id, number, why, now)


def end_late(now: datetime, *, since: datetime) -> bool:
    """End those whose time ran out since then: the secret of before counts on. False when there are more than go in one turn.

    Commands of other kinds that nobody answered lie in the same index, any number of them: so it is asked for a short time.
    """
    late = list(Outgoing.objects.filter(kind=ROTATE, answered_at=None, expires_at__lte=now, expires_at__gt=since).order_by("pk")[:_AT_ONCE])
    for row in late:
        with transaction.atomic():
            state = row.answer_state
            closed = Outgoing.objects.filter(pk=row.pk, answered_at=None).update(answered_at=now, answer_state="expired")
            if closed:
                _unfinished(row.robot_id, row.pk, {"why": "unproven" if state == "received" else "silent"}, now)
    # Of a command that is gone.
    NextCredential.objects.filter(expires_at__lte=now - LASTS).delete()
    return len(late) < _AT_ONCE


def on_replaced(robot: Robot, now: datetime) -> None:
    """Somebody gave it another secret meanwhile: nobody waits for the one that it was to make. Inside that transaction."""
    end_open(robot.pk, ROTATE, "its secret was replaced", now=now)
    resolve_alarm(robot.pk, ROTATION_UNFINISHED.code, "", now)


def _unfinished(robot_id: str, number: int, why: dict[str, Any], now: datetime) -> None:
    rotation.give_up(robot_id, outgoing=number)
    _note(robot_id, "keep_secret", SYSTEM, now, why)
    raise_alarm(robot_id, ROTATION_UNFINISHED, "", ROTATION_UNFINISHED.severity, why, now)


def _note(robot_id: str, verb: str, actor: Actor, now: datetime, after: dict[str, Any] | None = None) -> None:
    organisation = Robot.objects.values_list("organisation_id", flat=True).get(pk=robot_id)
    record(actor, verb, "robot", robot_id, organisation_id=organisation, after=after, now=now)
