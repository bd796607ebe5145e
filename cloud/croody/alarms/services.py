"""Every write to the alarms: who notices something calls `raise_alarm`. Knows no causes, only how they fold and end.

Those of many robots with one cause are put together by `storms`.
"""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F

from croody.accounts.caller import Caller
from croody.alarms import kinds, quota, storms, suppressions
from croody.alarms.kinds import End, Kind
from croody.alarms.models import Alarm
from croody.fleet.access import Action, may, names_of, organisations
from croody.fleet.models import Robot
from croody.web.refusals import Denied

_KEY_CHARS: Final = 160


class EndsByItself(ValueError):
    """An alarm that no person can close, because what it tells still holds; says what ends it."""


def raise_alarm(
    robot_id: str,
    kind: Kind | str,
    key: str,
    severity: str,
    detail: dict[str, Any],
    now: datetime,
    times: int = 1,
    *,
    organisation: int | None = None,
) -> Alarm:
    """Open an alarm, or count one more in the open one of the same cause (`robot_id`, `kind`, `key`), which keeps its worst severity.
    One that a person called false is opened out of sight, and counted there: see `suppressions`.

    Safe against two callers at once: the database lets one row in, the other caller then counts it up. A robot that has opened as many
    as it may, with words or keys of its own, gets the alarm `quota` instead.

    Args:
        robot_id: whose.
        kind: a declared one, or its code; a robot's own word comes as the `Kind` that `kinds.find` makes of it.
        key: tells causes of one kind apart.
        severity: of this time.
        detail: what the kind's sentence is made of.
        now: when it was noticed.
        times: how often, since it was raised last.
        organisation: whose, for one of no robot; without it, it is for who administers the server.

    Raises:
        ValueError: an unknown severity, or a kind that nobody declared.
    """
    kinds.check_severity(severity)
    code = kind.code if isinstance(kind, Kind) else kinds.declared(kind).code
    kinds.check_code(code)
    cause = {"robot_id": robot_id[:64], "kind": code, "key": key[:_KEY_CHARS]}
    news: dict[str, Any] = {"count": F("count") + times, "last_at": now, "detail": detail, **storms.as_severe_as(severity)}
    while True:
        if Alarm.objects.filter(**cause, resolved_at=None).update(**news):
            row = Alarm.objects.filter(**cause, resolved_at=None).first()
            if row is not None:
                if row.part_of_id is not None:
                    storms.worsen(row.part_of_id, row.severity)
                return row
        if _is_its_own(cause) and quota.has_opened_too_many(cause["robot_id"], now):
            return raise_alarm(cause["robot_id"], quota.QUOTA, "", quota.QUOTA.severity, {"kind": code}, now, times)
        held = suppressions.covering(**cause, now=now, organisation=organisation)
        fresh = {"severity": severity, "detail": detail, "opened_at": now, "last_at": now, "count": times, "suppressed_by": held}
        fresh["organisation_id"] = organisation
        try:
            with transaction.atomic():
                row = Alarm.objects.create(**cause, **fresh)
                if held is not None:
                    suppressions.hit(held, now)
        except IntegrityError:
            # Another caller opened it in between: go round and count it up.
            continue
        if held is None:
            storms.gather(row, now)
        return row


def _is_its_own(cause: dict[str, str]) -> bool:
    """Say whether a robot can make any number of such causes: by a word, or by what tells causes of one kind apart."""
    return bool(cause["robot_id"]) and (bool(cause["key"]) or not kinds.is_declared(cause["kind"]))


def resolve_alarm(robot_id: str, kind: str, key: str, now: datetime) -> bool:
    """Close the open alarm of this cause. False when there is none."""
    return storms.close(Alarm.objects.filter(robot_id=robot_id[:64], kind=kind, key=key[:_KEY_CHARS], resolved_at=None), now) > 0


def check_may_act(caller: Caller, alarm: Alarm) -> None:
    """Stop who may only look at it.

    Raises:
        Denied: 403.
    """
    if not may_act(caller, alarm):
        whose = f"{alarm.robot_id}'s organisation" if alarm.robot_id else "the organisation of its robots"
        raise Denied(403, f"alarm {alarm.pk}: only {names_of(Action.ACT)} of {whose} may close it")


def may_act(caller: Caller, alarm: Alarm) -> bool:
    """Say whether the caller may do something about it."""
    if caller.superuser:
        return True
    if alarm.organisation_id is not None:
        return organisations(caller, Action.ACT).filter(pk=alarm.organisation_id).exists()
    robot = Robot.objects.filter(pk=alarm.robot_id).first()
    return robot is not None and may(caller, Action.ACT, robot)


def resolve_by_person(alarm: Alarm, now: datetime) -> Alarm:
    """Close an alarm because somebody has dealt with it, one of many robots for all of them; one that is closed already stays as it is.

    Raises:
        EndsByItself: what it tells still holds.
    """
    kind = storms.kind_of(alarm)
    if alarm.resolved_at is None and End.PERSON not in kind.ends:
        raise EndsByItself(f"alarm {alarm.pk}: {kind.code} ends by itself once its cause is gone, and would be back at once")
    if alarm.kind == storms.STORM.code:
        storms.close(Alarm.objects.filter(part_of=alarm, resolved_at=None), now)
    storms.close(Alarm.objects.filter(pk=alarm.pk, resolved_at=None), now)
    alarm.refresh_from_db()
    return alarm


def resolve_all(robot_id: str, now: datetime) -> int:
    """Close every open alarm of a robot that is shut out: nothing of it needs a person any more. Says how many."""
    return storms.close(Alarm.objects.filter(robot_id=robot_id, resolved_at=None), now)
