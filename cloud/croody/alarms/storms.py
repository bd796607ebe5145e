"""Many robots with one cause in a minute are one alarm: a row of no robot, of which the robots' own rows are parts.

A part goes on by itself, so that it ends with its own robot; the whole ends with its last part. Only robots of one organisation are
put together: who sees the whole may see each of its robots.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from croody.alarms import kinds
from croody.alarms.kinds import Detail, End, Kind, count, whole
from croody.alarms.models import Alarm
from croody.fleet.models import Robot

#: So many robots within so long have one cause.
ROBOTS: Final = 5
WITHIN: Final = timedelta(minutes=1)
#: Wholes that are looked at in one run of the tidying job.
_MOST: Final = 500


def _sentence(detail: Detail, language: str) -> str:
    number = count(detail, "robots")
    cause = str(detail.get("kind", ""))
    if not cause:
        text = ngettext("%(count)s robot con la misma alerta.", "%(count)s robots con la misma alerta.", number)
        return text % {"count": whole(number, language)}
    kind = kinds.find(cause)
    if kind.together is not None:
        return kind.together.sentence(number, language)
    text = ngettext("%(title)s en %(count)s robot.", "%(title)s en %(count)s robots a la vez.", number)
    return text % {"title": kind.title, "count": whole(number, language)}


#: The row of many robots. `detail["kind"]` is the code of what befell them.
STORM: Final = Kind(
    code="many_robots",
    severity="medium",
    title=_("Varios robots a la vez"),
    cause=_("Varios robots dieron la misma alerta en un minuto."),
    remedy=_("Empieza por lo que comparten."),
    sentence=_sentence,
    ends=frozenset({End.CAUSE}),
)
KINDS: Final = (STORM,)


def kind_of(alarm: Alarm) -> Kind:
    """What befell the robot, or the robots."""
    cause = str(alarm.detail.get("kind", "")) if alarm.kind == STORM.code else ""
    return kinds.find(cause or alarm.kind)


def gather(alarm: Alarm, now: datetime) -> None:
    """Put an alarm that was just opened with those of other robots that came with it."""
    organisation = Robot.objects.filter(pk=alarm.robot_id).values_list("organisation_id", flat=True).first()
    if organisation is None:
        return
    cause = {"robot_id": "", "kind": STORM.code, "key": f"{organisation}:{alarm.kind}"}
    storm = Alarm.objects.filter(**cause).order_by("-pk").first()
    if storm is not None and storm.last_at >= now - WITHIN:
        # What flickers goes on as the same one.
        Alarm.objects.filter(pk=storm.pk).update(resolved_at=None)
        _join(storm, [alarm.pk], alarm.severity, now)
        return
    beside = Alarm.objects.filter(
        kind=alarm.kind,
        part_of=None,
        suppressed_by=None,
        opened_at__gt=now - WITHIN,
        robot_id__in=Robot.objects.filter(organisation_id=organisation).values("pk"),
    )
    # Those too that are over already.
    if len(set(beside.order_by().values_list("robot_id", flat=True).distinct()[:ROBOTS])) < ROBOTS:
        return
    if storm is None or storm.resolved_at is not None:
        storm = _open(cause, organisation, alarm, now)
    rows = list(beside.values_list("pk", "severity"))
    _join(storm, [pk for pk, _severity in rows], kinds.worst(*(severity for _pk, severity in rows)), now)


def _open(cause: dict[str, str], organisation: int, alarm: Alarm, now: datetime) -> Alarm:
    fresh = {"severity": alarm.severity, "detail": {"kind": alarm.kind}, "opened_at": now, "last_at": now, "count": 0}
    try:
        with transaction.atomic():
            return Alarm.objects.create(**cause, organisation_id=organisation, **fresh)
    except IntegrityError:
        # Another caller opened it in between.
        return Alarm.objects.get(**cause, resolved_at=None)


def _join(storm: Alarm, parts: Collection[int], severity: str, now: datetime) -> None:
    joined = Alarm.objects.filter(pk__in=parts, part_of=None).update(part_of=storm)
    Alarm.objects.filter(pk=storm.pk).update(count=F("count") + joined, last_at=now)
    worsen(storm.pk, severity)
    # It may have ended in between: then these stand by themselves.
    if not Alarm.objects.filter(pk=storm.pk, resolved_at=None).exists():
        Alarm.objects.filter(pk__in=parts, part_of=storm).update(part_of=None)


def worsen(storm: int, severity: str) -> None:
    """As severe as the worst of its parts."""
    Alarm.objects.filter(pk=storm).exclude(severity__in=[severity, *kinds.worse_than(severity)]).update(**as_severe_as(severity))


def as_severe_as(severity: str) -> dict[str, Any]:
    """What this severity changes in any alarm, as expressions: one that gets worse is no longer acknowledged nor snoozed."""
    better = [name for name in kinds.SEVERITIES if name not in {severity, *kinds.worse_than(severity)}]
    return {
        "severity": Case(When(severity__in=better, then=Value(severity)), default=F("severity")),
        "snoozed_until": Case(When(severity__in=better, then=None), default=F("snoozed_until")),
        "acknowledged_at": Case(When(severity__in=better, then=None), default=F("acknowledged_at")),
    }


def close(found: QuerySet[Alarm], now: datetime) -> int:
    """Close these alarms, and each whole of which they were the last open parts. Says how many alarms, wholes not counted."""
    storms = set(found.exclude(part_of=None).order_by().values_list("part_of_id", flat=True).distinct())
    closed = found.update(resolved_at=now)
    if storms:
        _end(Alarm.objects.filter(pk__in=storms), now)
    return closed


def tidy(now: datetime) -> None:
    """End each whole without an open part: one that a crash left, or that was just opened and lost its parts."""
    old = Alarm.objects.filter(kind=STORM.code, resolved_at=None, last_at__lt=now - WITHIN)
    _end(Alarm.objects.filter(pk__in=list(old.order_by("pk").values_list("pk", flat=True)[:_MOST])), now)


def _end(storms: QuerySet[Alarm], now: datetime) -> None:
    still = Alarm.objects.filter(part_of=OuterRef("pk"), resolved_at=None)
    storms.filter(resolved_at=None).exclude(Exists(still)).update(resolved_at=now)
