"""Sums up what each robot did on each day: from roll-ups, alarms and the audit log, a row a robot and day."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db.models import Max

from croody.alarms.models import Alarm
from croody.audit.models import Entry
from croody.fleet.models import Robot
from croody.telemetry.day_sums import BATTERY, SPEED, Minute, sums
from croody.telemetry.models import Cursor, RobotDay, Rollup, Stream
from croody.telemetry.read.newest import newest_of
from croody.web.turns import in_turns
from croody_contract.topics import PLAIN_STREAMS

_NAME: Final = "count_days"
#: A robot's first rows reach so far back, in days.
BACK: Final = 35
#: Robots that are looked at together, and days of robots that one run sums up: the next one goes on behind them.
_ROBOTS: Final = 100
_MOST: Final = 3000
_WRITTEN: Final = 100
#: Metrics of a robot of which one is in every reading: so many are tried.
_TRIED: Final = 3
_GRAVE: Final = ("high", "critical")
_PEOPLE: Final = ("person", "token", "command", "admin")
#: A day is summed up again for so long after its end.
_LATE: Final = timedelta(hours=6)
#: Acts of one organisation on one day that are looked at.
_ACTS: Final = 20_000
_FIELDS: Final = (
    "possible", "minutes", "readings", "gaps", "gap_minutes", "failures", "repairs", "repair_s", "cycles", "distance_m", "interventions",
    "computed_at",
)  # fmt: skip


def count_days(now: datetime) -> None:
    """Write the rows of today and yesterday, and those before that are not there yet, of so many robots a run."""
    place = Cursor.objects.filter(pk=_NAME).values_list("value", flat=True).first() or {}
    after, left = str(place.get("after", "")), _MOST
    while left > 0:
        here = Robot.objects.filter(deleted_at=None, robot_id__gt=after).order_by("robot_id")
        some = list(here.only("robot_id", "organisation_id")[:_ROBOTS])
        left -= _count(some, now)
        after = some[-1].robot_id if len(some) == _ROBOTS else ""
        if not after:
            break
    if place.get("after", "") != after:
        Cursor.objects.update_or_create(pk=_NAME, defaults={"value": {"after": after}})


def _count(robots: Sequence[Robot], now: datetime) -> int:
    """Of these robots; says how many rows it wrote."""
    names = [robot.robot_id for robot in robots]
    last = dict(RobotDay.objects.filter(robot_id__in=names).values_list("robot_id").annotate(Max("day")))
    today = now.astimezone(UTC).date()
    heard = {name: at for name in names if (at := _first_heard(name)) is not None}
    wanted: dict[date, list[Robot]] = defaultdict(list)
    for robot in robots:
        begun = heard.get(robot.robot_id, now)
        first = max(begun.astimezone(UTC).date(), today - timedelta(days=BACK))
        if robot.robot_id in last:
            first = max(first, _again_from(min(last[robot.robot_id], today), now))
        for number in range((today - first).days + 1):
            wanted[first + timedelta(days=number)].append(robot)
    metrics = {robot_id: _metrics(one.row) for robot_id, one in newest_of(names).items()}
    written = 0
    for day, mine in sorted(wanted.items()):
        rows = list(_rows(day, mine, metrics, heard, now))
        in_turns(rows, _WRITTEN, _write, settings.TELEMETRY_DB)
        written += len(rows)
    return written


def _again_from(last: date, now: datetime) -> date:
    """From which day on rows are written again: the last one, and for some hours that before it, for what came late."""
    late = now < datetime.combine(last, time(), UTC) + _LATE
    return last - timedelta(days=1) if late else last


def _first_heard(robot_id: str) -> datetime | None:
    """When the cloud heard it for the first time: its time begins there. One step in an index."""
    mine = Stream.objects.filter(robot_id=robot_id).order_by("place", "pk")
    first = [mine.exclude(stream__in=PLAIN_STREAMS).values_list("first_received_at", flat=True).first()]
    first += mine.filter(stream__in=PLAIN_STREAMS).order_by().values_list("first_received_at", flat=True)
    return min((at for at in first if at is not None), default=None)


def _rows(
    day: date, robots: Sequence[Robot], metrics: dict[str, list[str]], heard: dict[str, datetime], now: datetime
) -> Iterable[RobotDay]:
    start = datetime.combine(day, time(), UTC)
    end = min(start + timedelta(days=1), now)
    names = [robot.robot_id for robot in robots]
    grave = Alarm.objects.filter(robot_id__in=names, severity__in=_GRAVE)
    opened = Counter(grave.filter(opened_at__gte=start, opened_at__lt=end).values_list("robot_id", flat=True))
    repairs: dict[str, list[float]] = defaultdict(list)
    ended = grave.filter(resolved_at__gte=start, resolved_at__lt=end)
    for robot_id, since, until in ended.values_list("robot_id", "opened_at", "resolved_at"):
        repairs[robot_id].append((until - since).total_seconds() if until is not None else 0.0)
    acts = _acts({robot.organisation_id for robot in robots}, start, end)
    for robot in robots:
        name = robot.robot_id
        begun = max(start, heard.get(name, end))
        found = sums(*_minutes(name, metrics.get(name, []), start, end))
        yield RobotDay(
            robot_id=name,
            day=day,
            possible=max(found.minutes, round((end - begun).total_seconds() / 60), 0),
            minutes=found.minutes,
            readings=found.readings,
            gaps=found.gaps,
            gap_minutes=found.gap_minutes,
            failures=opened[name],
            repairs=len(repairs[name]),
            repair_s=sum(repairs[name]),
            cycles=found.cycles,
            distance_m=found.distance_m,
            interventions=acts[name],
            computed_at=now,
        )


def _minutes(robot_id: str, metrics: Sequence[str], start: datetime, end: datetime) -> tuple[list[Minute], list[Minute], list[Minute]]:
    """Minutes of the metric that was sent most, of the battery and of the speed: one step in an index each."""
    found = {
        metric: [
            Minute(*row)
            for row in Rollup.objects.filter(robot_id=robot_id, metric=metric, step_s=60, at__gte=start, at__lt=end)
            .order_by("at")
            .values_list("at", "count", "mean")
        ]
        for metric in dict.fromkeys(metrics)
    }
    most = max(found.values(), key=lambda one: sum(minute.sent for minute in one), default=[])
    return most, found.get(BATTERY, []), found.get(SPEED, [])


def _metrics(row: str) -> list[str]:
    """Of a robot's newest reading the metrics that tell of battery and way; without them a few others, of which one is in every reading."""
    data: dict[str, Any] = msgspec.json.decode(row).get("data", {}) if row else {}
    names = sorted(name for name, value in data.items() if isinstance(value, int | float) and not isinstance(value, bool))
    told: list[str] = [name for name in (BATTERY, SPEED) if name in names]
    return told or names[:_TRIED]


def _acts(organisations: Iterable[int], start: datetime, end: datetime) -> Counter[str]:
    """How often people did something to a robot, or to an alarm or letter of it."""
    found: Counter[str] = Counter()
    for organisation_id in organisations:
        entries = Entry.objects.filter(organisation_id=organisation_id, at__gte=start, at__lt=end, kind__in=_PEOPLE).order_by("-at", "-pk")
        for thing, thing_id, before, after in entries.values_list("thing", "thing_id", "before", "after")[:_ACTS]:
            robot_id = thing_id if thing == "robot" else after.get("robot") or before.get("robot")
            if isinstance(robot_id, str):
                found[robot_id] += 1
    return found


def _write(rows: Sequence[RobotDay]) -> None:
    RobotDay.objects.bulk_create(rows, update_conflicts=True, unique_fields=["robot_id", "day"], update_fields=_FIELDS)
