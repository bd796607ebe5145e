"""Every write to the alarms: who notices something calls `raise_alarm`. Knows no causes, only how they fold and end."""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When

from croody.alarms import kinds
from croody.alarms.kinds import End, Kind
from croody.alarms.models import Alarm

_KEY_CHARS: Final = 160


class EndsByItself(ValueError):
    """An alarm that no person can close, because what it tells still holds; says what ends it."""


def raise_alarm(robot_id: str, kind: Kind | str, key: str, severity: str, detail: dict[str, Any], now: datetime) -> Alarm:
    """Open an alarm, or count one more in the open one of the same cause (`robot_id`, `kind`, `key`), which keeps its worst severity.

    Safe against two callers at once: the database lets one row in, the other caller then counts it up.

    Args:
        robot_id: whose.
        kind: a declared one, or its code; a robot's own word comes as the `Kind` that `kinds.find` makes of it.
        key: tells causes of one kind apart.
        severity: of this time.
        detail: what the kind's sentence is made of.
        now: when it was noticed.

    Raises:
        ValueError: an unknown severity, or a kind that nobody declared.
    """
    kinds.check_severity(severity)
    code = kind.code if isinstance(kind, Kind) else kinds.declared(kind).code
    kinds.check_code(code)
    cause = {"robot_id": robot_id[:64], "kind": code, "key": key[:_KEY_CHARS]}
    worst = Case(When(severity__in=kinds.worse_than(severity), then=F("severity")), default=Value(severity))
    while True:
        if Alarm.objects.filter(**cause, resolved_at=None).update(count=F("count") + 1, last_at=now, detail=detail, severity=worst):
            row = Alarm.objects.filter(**cause, resolved_at=None).first()
            if row is not None:
                return row
        try:
            with transaction.atomic():
                return Alarm.objects.create(**cause, severity=severity, detail=detail, opened_at=now, last_at=now)
        except IntegrityError:
            # Another caller opened it in between: go round and count it up.
            continue


def resolve_alarm(robot_id: str, kind: str, key: str, now: datetime) -> bool:
    """Close the open alarm of this cause. False when there is none."""
    return Alarm.objects.filter(robot_id=robot_id[:64], kind=kind, key=key[:_KEY_CHARS], resolved_at=None).update(resolved_at=now) > 0


def resolve_by_person(alarm: Alarm, now: datetime) -> Alarm:
    """Close an alarm because somebody has dealt with it; one that is closed already stays as it is.

    Raises:
        EndsByItself: what it tells still holds.
    """
    kind = kinds.find(alarm.kind)
    if alarm.resolved_at is None and End.PERSON not in kind.ends:
        raise EndsByItself(f"alarm {alarm.pk}: {kind.code} ends by itself once its cause is gone, and would be back at once")
    Alarm.objects.filter(pk=alarm.pk, resolved_at=None).update(resolved_at=now)
    alarm.refresh_from_db()
    return alarm


def resolve_all(robot_id: str, now: datetime) -> int:
    """Close every open alarm of a robot that is shut out: nothing of it needs a person any more. Says how many."""
    return Alarm.objects.filter(robot_id=robot_id, resolved_at=None).update(resolved_at=now)
