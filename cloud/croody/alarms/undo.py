"""Undoing: put an alarm back as it was before an act, or open again what was closed."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.alarms import storms, suppressions
from croody.alarms.act_transaction import FIELDS, MOST_ID, BadAct, Done, Late, Verb, begin, last_act
from croody.alarms.models import Act, Alarm
from croody.audit.actor import Actor
from croody.web.refusals import Denied

#: An act can be undone for so long, by who did it.
UNDO_FOR: Final = timedelta(minutes=10)
_TIMES: Final = frozenset({"acknowledged_at", "snoozed_until", "resolved_at"})


def undo(caller: Caller, act_id: int, *, by: Actor, now: datetime) -> Alarm:
    """Put things back as they were before an act of one's own, while nothing else was done since.

    Raises:
        Denied: 404; 403, it is somebody else's act. Late: something was done since. BadAct: too late, or nothing to undo.
    """
    with transaction.atomic():
        act = Act.objects.filter(pk=act_id).first() if 0 < act_id <= MOST_ID else None
        if act is None:
            raise Denied(404, f"there is no act {act_id} that you may see")
        doing = begin(caller, act.alarm_id, by, now, ended=True)
        if act.by_id is None or act.by_id != by.user_id:
            raise Denied(403, f"act {act_id}: only who did it may undo it")
        if act.undone_at is not None or act.verb == Verb.COMMENT:
            raise BadAct(_("acto %(number)s: no hay nada que deshacer") % {"number": act_id})
        if now - act.at > UNDO_FOR:
            minutes = UNDO_FOR // timedelta(minutes=1)
            raise BadAct(_("acto %(number)s: se puede deshacer durante %(minutes)s min") % {"number": act_id, "minutes": minutes})
        if doing.alarm.revision != act.revision:
            raise Late(doing.alarm, last_act(doing.alarm))
        _put_back(doing.alarm, act, now)
        Act.objects.filter(pk=act.pk).update(undone_at=now)
        doing.audit("undo", act.before | {"act": act.verb})
        return doing.alarm


def together_with(act_id: int, user_id: int | None, most: int) -> list[int]:
    """An act and those that the same person did in the same go, so that they are undone as one; empty when it is not theirs."""
    act = Act.objects.filter(pk=act_id, by_id=user_id).first() if user_id is not None and 0 < act_id <= MOST_ID else None
    if act is None:
        return []
    same = Act.objects.filter(at=act.at, by_id=user_id, verb=act.verb, undone_at=None)
    return list(same.order_by("pk").values_list("pk", flat=True)[:most])


def reopen(caller: Caller, number: int, *, by: Actor, now: datetime, seen: int | None = None) -> Done:
    """Open again what is closed.

    Raises:
        Denied: 404 or 403. Late: it is not as they saw it. BadAct: it is open, or its cause has another open alarm.
    """
    with transaction.atomic():
        doing = begin(caller, number, by, now, seen, ended=True)
        if doing.alarm.resolved_at is None:
            raise BadAct(_("alerta %(number)s: está abierta") % {"number": number})
        _open_again(doing.alarm)
        return doing.book(Verb.REOPEN, {}, false=False, suppressed_by=None)


def _put_back(alarm: Alarm, act: Act, now: datetime) -> None:
    if alarm.resolved_at is not None and act.before["resolved_at"] is None:
        _open_again(alarm)
    if act.verb == Verb.FALSE:
        suppressions.end(int(act.said["suppression"]), now)
    changes = {name: _value(name, act.before[name]) for name in FIELDS}
    if act.verb == Verb.REOPEN:
        storms.close(Alarm.objects.filter(part_of=alarm, resolved_at=None), changes["resolved_at"])
    Alarm.objects.filter(pk=alarm.pk).update(**changes, revision=alarm.revision + 1)
    alarm.refresh_from_db()


def _open_again(alarm: Alarm) -> None:
    """Open it, and of many robots those parts that were closed with it."""
    at = alarm.resolved_at
    try:
        with transaction.atomic():
            Alarm.objects.filter(pk=alarm.pk).update(resolved_at=None)
            if alarm.kind == storms.STORM.code:
                Alarm.objects.filter(part_of=alarm, resolved_at=at).update(resolved_at=None)
    except IntegrityError as error:
        raise BadAct(_("alerta %(number)s: su causa volvió y tiene una alerta nueva: mira esa") % {"number": alarm.pk}) from error
    alarm.refresh_from_db()


def _value(name: str, said: Any) -> Any:
    return datetime.fromisoformat(said) if name in _TIMES and said else said
