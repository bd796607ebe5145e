"""The log of one robot: what it told, the alarms about it, what it was asked, who changed what. Newest first, in pages. Words nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from croody.alarms.models import Alarm
from croody.audit.models import Entry
from croody.commands.models import Outgoing
from croody.telemetry.read.events import Told, told
from croody.web.address import whole

#: Lines of a page.
PAGE: Final = 100
#: What people ask of a robot; what the cloud asks by itself (`resend`) is no news.
_ASKED_BY_PEOPLE: Final = ("logs",)
#: Acts that are shown as what they are: an order.
_NO_CHANGE: Final = ("logs",)
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)

Letter = Literal["A", "S", "R", "O", "C"]


@dataclass(frozen=True, slots=True)
class Item:
    """One line: exactly one of the four is set. `letter`: alarm, event (suceso), connection (red), order, change.

    `over`: of an alarm, that it ended then.
    """

    at: datetime
    letter: Letter
    told: Told | None = None
    alarm: Alarm | None = None
    asked: Outgoing | None = None
    changed: Entry | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """`older`: where the next page begins, empty when this is the last one."""

    items: tuple[Item, ...]
    older: str = ""


def page(robot_id: str, until: datetime, limit: int = PAGE, *, skip: int = 0, since: datetime = _FIRST) -> Page:
    """At most `limit` lines between two times, both included, the newest first.

    Args:
        robot_id: whose.
        until: the newest.
        limit: how many.
        skip: so many of those of exactly `until` were shown before.
        since: the oldest.
    """
    most = limit + skip + 1
    found = [item for source in (_told, _alarms, _asked, _changed) for item in source(robot_id, until, since, most)]
    found.sort(key=_order, reverse=True)
    rows = found[skip : skip + limit]
    if len(found) <= skip + limit:
        return Page(tuple(rows))
    last = rows[-1].at
    again = sum(item.at == last for item in rows) + (skip if last == until else 0)
    return Page(tuple(rows), f"{int(last.timestamp() * 1_000_000)}-{again}")


def parsed(cursor: str, now: datetime) -> tuple[datetime, int]:
    """What `Page.older` says; anything else begins at `now`."""
    before, _, behind = cursor.partition("-")
    micros, skip = whole(before, 17), whole(behind, 4)
    if micros is None or skip is None:
        return now, 0
    seconds, part = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=part), skip


def _order(item: Item) -> tuple[datetime, str, int]:
    row = item.alarm or item.asked or item.changed
    return item.at, item.letter, item.told.number if item.told is not None else row.pk if row is not None else 0


def _told(robot_id: str, until: datetime, since: datetime, most: int) -> Iterator[Item]:
    for one in told(robot_id, until=until, since=since, limit=most):
        yield Item(one.at, "R" if one.kind in ("born", "tombstone") else "S", told=one)


def _alarms(robot_id: str, until: datetime, since: datetime, most: int) -> Iterator[Item]:
    mine = Alarm.objects.filter(robot_id=robot_id)
    for alarm in mine.filter(opened_at__lte=until, opened_at__gte=since).order_by("-opened_at", "-pk")[:most]:
        yield Item(alarm.opened_at, "A", alarm=alarm)
    for alarm in mine.filter(resolved_at__lte=until, resolved_at__gte=since).order_by("-resolved_at", "-opened_at", "-pk")[:most]:
        if alarm.resolved_at is not None:
            yield Item(alarm.resolved_at, "A", alarm=alarm, over=True)


def _asked(robot_id: str, until: datetime, since: datetime, most: int) -> Iterator[Item]:
    rows = Outgoing.objects.filter(robot=robot_id, kind__in=_ASKED_BY_PEOPLE, created_at__lte=until, created_at__gte=since)
    for row in rows.order_by("-created_at", "-pk")[:most]:
        yield Item(row.created_at, "O", asked=row)


def _changed(robot_id: str, until: datetime, since: datetime, most: int) -> Iterator[Item]:
    rows = Entry.objects.filter(thing="robot", thing_id=robot_id, at__lte=until, at__gte=since).exclude(verb__in=_NO_CHANGE)
    for row in rows.order_by("-pk")[:most]:
        yield Item(row.at, "C", changed=row)
