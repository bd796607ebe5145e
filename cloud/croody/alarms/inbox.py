"""The inbox: which alarms, in which order, page by page, and how many. Knows who may see them, never how they are shown.

Whatever the number of alarms, a question goes through the open ones, or through a page of those that are over, and never through history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Sum, Value, When

from croody.accounts.caller import Caller
from croody.alarms import kinds, queries
from croody.alarms.models import Alarm
from croody.fleet.models import Robot
from croody.web.address import query_of, typed, whole

#: Alarms of one page.
PAGE: Final = 100
#: How often it is noted of an alarm that it waits.
NOTED: Final = timedelta(hours=1)
#: Kinds that a filter offers.
_MOST_KINDS: Final = 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Tab(StrEnum):
    """Part of the inbox."""

    OPEN = "open"
    """Waits for somebody."""
    MINE = "mine"
    """Open, and assigned to who asks."""
    SNOOZED = "snoozed"
    """Out of sight for a while: by a person, or because its robot is in maintenance."""
    RESOLVED = "resolved"
    """Over."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the inbox, as the address says it. `after`: where the page begins, as `cursor_of` wrote it."""

    tab: Tab = Tab.OPEN
    severity: str = ""
    kind: str = ""
    robot: str = ""
    #: `me`, `nobody` or everybody.
    who: str = ""
    after: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read an address; what it does not say right is not said."""
        tab, severity, who = (typed(query, name) for name in ("tab", "severity", "who"))
        return cls(
            Tab(tab) if tab in set(Tab) else Tab.OPEN,
            severity if severity in kinds.SEVERITIES else "",
            typed(query, "kind"),
            typed(query, "robot"),
            who if who in {"me", "nobody"} else "",
            typed(query, "after"),
        )

    def address(self, **changes: Any) -> str:
        """`?tab=mine&severity=high`: this with changes, without what goes without saying."""
        one = replace(self, **changes)
        told = {"tab": "" if one.tab is Tab.OPEN else one.tab.value, "severity": one.severity, "kind": one.kind}
        told |= {"robot": one.robot, "who": one.who, "after": one.after}
        return query_of(told).removesuffix("?")

    @property
    def filtered(self) -> bool:
        """Whether it shows less than its tab."""
        return bool(self.severity or self.kind or self.robot or self.who)


@dataclass(frozen=True, slots=True)
class Counts:
    """What is open and in sight: how many of each severity, how many are nobody's, how many signals they fold, since when."""

    severities: Mapping[str, int]
    unassigned: int = 0
    signals: int = 0
    since: datetime | None = None
    critical_new: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.severities.values())


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of alarms, in order. `after`: where the next one begins; empty for the last."""

    alarms: tuple[Alarm, ...]
    after: str


def listed(caller: Caller, asked: Asked, now: datetime, most: int = PAGE) -> Listed:
    """A page: the worst first, of those what is nobody's, of those what has waited longest. What is over: what ended last first."""
    found = _filtered(caller, asked, now)
    rows = list(_behind(found, asked)[: most + 1])
    return Listed(tuple(rows[:most]), cursor_of(rows[most - 1], asked.tab) if len(rows) > most else "")


def matching(caller: Caller, asked: Asked, now: datetime) -> QuerySet[Alarm]:
    """All that an address asks for, on whichever page it stands, in the order of `listed`."""
    return _behind(_filtered(caller, asked, now), replace(asked, after=""))


def in_sight(caller: Caller, now: datetime) -> QuerySet[Alarm]:
    """What is open and waits for somebody."""
    return _open(caller).exclude(_hidden(now))


def counts(caller: Caller, now: datetime) -> Counts:
    """How many there are."""
    found = in_sight(caller, now).order_by().values("severity")
    fresh, free = Count("pk", filter=Q(acknowledged_at=None)), Count("pk", filter=Q(assignee=None))
    rows = found.annotate(many=Count("pk"), free=free, signals=Sum("count"), fresh=fresh)
    known = {row["severity"]: row for row in rows}
    oldest = in_sight(caller, now).order_by("opened_at").values_list("opened_at", flat=True).first()
    return Counts(
        {severity: known[severity]["many"] for severity in kinds.SEVERITIES if severity in known},
        sum(row["free"] for row in known.values()),
        sum(row["signals"] for row in known.values()),
        oldest,
        known["critical"]["fresh"] if "critical" in known else 0,
    )


def tabs(caller: Caller, now: datetime) -> dict[Tab, int]:
    """How many are in each part that is not history."""
    seen = in_sight(caller, now)
    return {
        Tab.OPEN: seen.count(),
        Tab.MINE: seen.filter(assignee_id=caller.user_id).count() if caller.user_id else 0,
        Tab.SNOOZED: _open(caller).filter(_hidden(now)).count(),
    }


def kinds_open(caller: Caller) -> list[str]:
    """Codes of the kinds of which something is open."""
    return sorted(set(_open(caller).order_by().values_list("kind", flat=True).distinct()[:_MOST_KINDS]))


def last_resolved(caller: Caller) -> Alarm | None:
    """The alarm that ended last."""
    return queries.ended(queries.in_one_list(caller)).first()


def mark(caller: Caller, now: datetime) -> str:
    """The same as long as nothing changed in the inbox, also by time alone: what a page that is open compares."""
    rows = _open(caller).order_by().values_list("severity").annotate(Count("pk"), Sum("count"), Sum("revision"), Sum("pk"))
    told = sorted("-".join(str(part) for part in row) for row in rows)
    return "|".join([str(in_sight(caller, now).count()), *told])


def cursor_of(alarm: Alarm, tab: Tab) -> str:
    """Where in the order of `listed` this alarm stands."""
    if tab is Tab.RESOLVED:
        return f"{_micros(alarm.resolved_at or _EPOCH)}.{_micros(alarm.opened_at)}.{alarm.pk}"
    rank = list(kinds.SEVERITIES).index(alarm.severity)
    return f"{rank}.{int(alarm.assignee_id is not None)}.{_micros(alarm.opened_at)}.{alarm.pk}"


def maintained(now: datetime) -> QuerySet[Robot]:
    """Robots that are in maintenance: what they raise waits until its end."""
    return Robot.objects.filter(maintenance_until__gt=now)


def note_waiting(now: datetime) -> None:
    """Note of what waits for the end of something that it does: it is news when that ends, however old it is by then."""
    waiting = Alarm.objects.filter(_hidden(now) | Q(suppressed_by__isnull=False), resolved_at=None)
    waiting.filter(Q(waited_at=None) | Q(waited_at__lte=now - NOTED)).update(waited_at=now)


def _open(caller: Caller) -> QuerySet[Alarm]:
    return queries.in_one_list(caller).filter(resolved_at=None)


def _hidden(now: datetime) -> Q:
    return Q(snoozed_until__gt=now, snoozed_until__isnull=False) | Q(robot_id__in=maintained(now).values("pk"))


def _filtered(caller: Caller, asked: Asked, now: datetime) -> QuerySet[Alarm]:
    match asked.tab:
        case Tab.OPEN:
            found = in_sight(caller, now)
        case Tab.MINE:
            found = in_sight(caller, now).filter(assignee_id=caller.user_id or 0)
        case Tab.SNOOZED:
            found = _open(caller).filter(_hidden(now))
        case Tab.RESOLVED:
            found = queries.in_one_list(caller).filter(resolved_at__isnull=False)
    if asked.severity:
        found = found.filter(severity=asked.severity)
    if asked.kind:
        found = found.filter(Q(kind=asked.kind) | Q(detail__kind=asked.kind, organisation__isnull=False))
    if asked.robot:
        ours = Alarm.objects.filter(robot_id__icontains=asked.robot, part_of__isnull=False, resolved_at=None)
        found = found.filter(Q(robot_id__icontains=asked.robot) | Q(pk__in=ours.values("part_of_id")))
    if asked.who:
        found = found.filter(assignee_id=(caller.user_id or 0) if asked.who == "me" else None)
    return found


def _behind(found: QuerySet[Alarm], asked: Asked) -> QuerySet[Alarm]:
    if asked.tab is Tab.RESOLVED:
        return _over_behind(found.order_by("-resolved_at", "-opened_at", "-pk"), asked.after)
    ranks = [When(severity=severity, then=Value(rank)) for rank, severity in enumerate(kinds.SEVERITIES)]
    taken = Case(When(assignee=None, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = found.annotate(rank=Case(*ranks, default=Value(len(ranks)), output_field=IntegerField()), taken=taken)
    place = _numbers(asked.after, 4)
    if place is not None:
        rank, free, micros, pk = place
        at = _at(micros)
        later = Q(opened_at__gt=at) | Q(opened_at=at, pk__gt=pk)
        found = found.filter(Q(rank__gt=rank) | Q(rank=rank) & (Q(taken__gt=free) | Q(taken=free) & later))
    return found.order_by("rank", "taken", "opened_at", "pk")


def _over_behind(over: QuerySet[Alarm], after: str) -> QuerySet[Alarm]:
    place = _numbers(after, 3)
    if place is None:
        return over
    ended, opened, pk = _at(place[0]), _at(place[1]), place[2]
    earlier = Q(opened_at__lt=opened) | Q(opened_at=opened, pk__lt=pk)
    return over.filter(Q(resolved_at__lt=ended) | Q(resolved_at=ended) & earlier, resolved_at__lte=ended)


def _numbers(after: str, count: int) -> tuple[int, ...] | None:
    numbers = tuple(number for part in after.split(".") if (number := whole(part)) is not None)
    return numbers if len(numbers) == after.count(".") + 1 == count else None


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _at(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(micros, 253402300799_000000))
