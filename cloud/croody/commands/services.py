"""Every write to what goes out to robots. Knows robots and the contract, never HTTP, MQTT or why something is sent."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.dispatch import Signal
from django.utils.translation import gettext as _

from croody.audit.actor import Actor
from croody.audit.services import record
from croody.commands.models import Outgoing
from croody.fleet.models import Robot
from croody.fleet.services import BadRobot
from croody_contract.messages import Answer
from croody_contract.messages import Outgoing as OutgoingMessage
from croody_contract.relay import DueItem

#: Wait before the next send, by how often a row was sent already, in seconds; the last one repeats.
BACKOFF_S: Final = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
#: The bridge asks this often, in seconds: rows are published within half a second.
POLL_S: Final = 0.4
#: The kind that asks for the last lines of an agent's log, and how long somebody waits for them.
LOGS: Final = "logs"
LOGS_EXPIRE: Final = timedelta(minutes=5)
#: Kinds that are said again until they are done, however often they were received; the next time after so long.
INSISTS: Final = frozenset({"rotate"})
INSISTS_AFTER: Final = timedelta(seconds=1)
#: Sent inside the transaction that books an answer; with `robot_id`, `number` and `kind` of the row, `said`, `now`.
answered: Final = Signal()
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{1,31}")


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


def ask_for_logs(robot: Robot, *, can: bool, actor: Actor, now: datetime, lines: int = 100) -> Outgoing:
    """Ask a robot for the last lines of its agent's log; they come as a record. One that was asked for already is not asked twice.

    `can`: its agent announced it, and commands reach it.

    Raises:
        BadRobot: it cannot, or it was revoked.
    """
    if not can:
        why = _("robot_id %(id)s: no puede mandar su registro: va por HTTP, o su agente es anterior; actualízalo, o léelo en la placa")
        raise BadRobot(why % {"id": robot.pk})
    with transaction.atomic():
        open_rows = open_outgoing(robot.pk, LOGS, now=now)
        if open_rows:
            return open_rows[-1]
        row = send(robot, LOGS, {"lines": lines}, now + LOGS_EXPIRE, now=now)
        record(actor, "logs", "robot", robot.pk, organisation_id=robot.organisation_id, after={"lines": lines}, now=now)
    return row


def claim_due(now: datetime, limit: int = 200) -> list[DueItem]:
    """Claim the rows that are due and mark them sent: two callers at once never get the same row.

    PostgreSQL skips rows that another caller holds; on SQLite the transaction owns the database from its start.
    """
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

    `received` stops the repeats, unless the kind insists, and leaves the row open; every other state closes it for good.
    """
    row = Outgoing.objects.filter(pk=outgoing_id, robot_id=robot_id, answered_at=None)
    kind = row.values_list("kind", flat=True).first()
    if kind is None:
        return False
    with transaction.atomic():
        if said.state != "received":
            booked = row.update(answer_state=said.state, answer_detail=said.detail, answered_at=now) > 0
        elif kind not in INSISTS:
            booked = row.update(answer_state=said.state, answer_detail=said.detail, next_at=F("expires_at")) > 0
        else:
            row.exclude(answer_state="received").update(next_at=now + INSISTS_AFTER, attempts=0)
            booked = row.update(answer_state=said.state, answer_detail=said.detail) > 0
        if booked:
            answered.send(Outgoing, robot_id=robot_id, number=outgoing_id, kind=kind, said=said, now=now)
    return booked


def end_for(robot: Robot, *, now: datetime) -> None:
    """End what was still to be sent to a robot that is shut out."""
    open_rows = Outgoing.objects.filter(robot=robot, answered_at=None)
    open_rows.update(answered_at=now, answer_state="expired", answer_detail="robot revoked")


def end_open(robot_id: str, kind: str, why: str, *, now: datetime) -> int:
    """End what of this kind is still open. Says how many there were."""
    return open_rows(robot_id, kind).update(answered_at=now, answer_state="expired", answer_detail=why)


def open_rows(robot_id: str, kind: str) -> QuerySet[Outgoing]:
    """Those that nobody has closed, also where their time is over."""
    return Outgoing.objects.filter(robot_id=robot_id, kind=kind, answered_at=None)


def open_outgoing(robot_id: str, kind: str, *, now: datetime) -> list[Outgoing]:
    """Rows of one kind that a robot may still answer, oldest first."""
    return list(Outgoing.objects.filter(robot_id=robot_id, kind=kind, answered_at=None, expires_at__gt=now).order_by("pk"))


def _due(now: datetime) -> QuerySet[Outgoing]:
    return Outgoing.objects.filter(answered_at=None, next_at__lte=now, expires_at__gt=now)


def _messages(rows: Iterable[Outgoing]) -> Iterator[DueItem]:
    for row in rows:
        yield DueItem(
            robot_id=row.robot_id, outgoing=OutgoingMessage(id=row.pk, kind=row.kind, payload=row.payload, expires_at=row.expires_at)
        )
