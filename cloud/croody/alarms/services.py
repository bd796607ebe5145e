"""Every write to the alarms: whoever notices something calls `raise_alarm`. Knows no causes, only how they fold."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from croody.alarms.models import Alarm


def raise_alarm(robot_id: str, kind: str, key: str, severity: str, detail: dict[str, Any], now: datetime) -> Alarm:
    """Open an alarm, or count one more in the open one of the same cause (`robot_id`, `kind`, `key`).

    Safe against two callers at once: the database lets one row in, the other caller then counts it up.

    Raises:
        ValueError: an unknown severity.
    """
    if severity not in Alarm.Severity.values:
        raise ValueError(f"severity {severity!r}: use one of {', '.join(Alarm.Severity.values)}")
    cause = {"robot_id": robot_id[:64], "kind": kind[:32], "key": key[:160]}
    while True:
        if Alarm.objects.filter(**cause, resolved_at=None).update(count=F("count") + 1, last_at=now, detail=detail, severity=severity):
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
    return Alarm.objects.filter(robot_id=robot_id[:64], kind=kind[:32], key=key[:160], resolved_at=None).update(resolved_at=now) > 0
