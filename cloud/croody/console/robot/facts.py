"""Asks the database for what the page of one robot shows. Words nothing; which state holds is liveness' business."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from croody.alarms.kinds import SEVERITIES
from croody.alarms.models import Alarm
from croody.commands.models import Outgoing
from croody.commands.services import LOGS
from croody.console.robot.limits import Limits, limits_of
from croody.console.robot.log import Item, page
from croody.fleet.models import Robot
from croody.fleet.queries import returned
from croody.liveness import judge
from croody.liveness.judge import State
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of
from croody.monitor.entry import Entry, Latest, as_number, delivery, entry
from croody.telemetry.models import DeadLetter, Picture, Presence
from croody.telemetry.read import metrics
from croody.telemetry.read.capabilities import within_reach
from croody.telemetry.read.day_cells import Day, day
from croody.telemetry.read.delivery import delivered
from croody.telemetry.read.events import MOST as MOST_TOLD
from croody.telemetry.read.events import Told, born, told
from croody.telemetry.read.metric_infos import said_by
from croody.telemetry.read.metrics import NOBODY_SAID
from croody.telemetry.read.newest import newest_of
from croody.telemetry.read.snapshots import newest
from croody.telemetry.read.typical_ranges import Range, usual

#: Open alarms that are shown; all are counted.
MOST_ALARMS: Final = 5
#: Lines of the log beside the charts.
FEW: Final = 8
#: What happened so long before something is shown as what changed before it.
BEFORE: Final = timedelta(minutes=15)
MOST_BEFORE: Final = 3
#: Dead letters that are listed; all are counted up to `COUNTED`.
MOST_LETTERS: Final = 50
COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Queue:
    """What the robot said last of what still lies on it: how many records, and when the cloud heard that; how often it measures."""

    records: int
    at: datetime
    interval_s: float | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """What changes every second.

    Attributes:
        heard_at: when anything of it came last.
        deaf_since: the cloud itself hears no robot since then.
        alarms: open ones, the gravest first, of those the oldest; `alarm_count`: all of them.
    """

    robot: Robot
    state: State
    entry: Entry
    heard_at: datetime | None
    deaf_since: datetime | None
    alarms: tuple[Alarm, ...]
    alarm_count: int
    queue: Queue | None

    @property
    def queue_interval(self) -> float | None:
        """How often it says that it measures, in seconds."""
        return self.queue.interval_s if self.queue is not None else None

    @property
    def worst(self) -> Alarm | None:
        """The alarm that says best what is wrong."""
        return self.alarms[0] if self.alarms else None


@dataclass(frozen=True, slots=True)
class AgentLog:
    """The last lines that its agent sent, and the last time that somebody asked for them. `can`: it can now."""

    can: bool
    lines: tuple[str, ...] = ()
    at: datetime | None = None
    asked: Outgoing | None = None


@dataclass(frozen=True, slots=True)
class Slow:
    """What is asked every ten seconds while somebody looks.

    Attributes:
        before: what changed shortly before the gravest alarm, the newest first.
        start: the record with which its agent began, None for none that is kept; `kinds`: commands that reach it.
    """

    day: Day
    log: tuple[Item, ...]
    before: tuple[Item, ...]
    usual: Mapping[str, Range]
    start: Told | None
    kinds: frozenset[str]
    letters: int
    agent_log: "AgentLog"
    pictures: tuple[Picture, ...]
    limits: Limits


def now_of(robot: Robot, now: datetime) -> Now:
    """A few queries, whatever the robot has behind it."""
    robot_id = robot.pk
    signs = signs_of([robot_id])[robot_id]
    alarms, count = open_alarms(robot_id)
    heard = listening()
    deaf_since = heard[1] if heard is not None and judge.deaf(now, heard[1]) else None
    worst = alarms[0].severity if alarms else ""
    # While the cloud is deaf every robot seems silent: it is judged as of when the cloud last heard.
    state = judge.state(deaf_since or now, replace(signs, faulted=worst == "critical"))
    newest = newest_of([robot_id]).get(robot_id)
    said = said_by({robot_id: newest.stream}).get(robot_id, NOBODY_SAID) if newest is not None else NOBODY_SAID
    latest = Latest(msgspec.json.decode(newest.row), newest.heard_at, said) if newest is not None else None
    site = robot.site.slug if robot.site is not None else ""
    shown = entry(robot_id, site, robot.kind, state, latest, delivery(delivered([robot_id]).get(robot_id)), signs.interval_s)
    return Now(robot, state, shown, signs.heard_at, deaf_since, alarms, count, queue_of(robot_id))


def open_alarms(robot_id: str) -> tuple[tuple[Alarm, ...], int]:
    """The gravest open ones, and how many there are."""
    # Said twice round, so that SQLite does not look for them by an index: nearly all are held back by nothing.
    mine = Alarm.objects.filter(robot_id=robot_id, resolved_at=None).exclude(suppressed_by__isnull=False)
    found = list(mine.order_by("opened_at", "pk")[:COUNTED])
    severities = list(SEVERITIES)
    found.sort(key=lambda alarm: severities.index(alarm.severity))
    return tuple(found[:MOST_ALARMS]), len(found)


def queue_of(robot_id: str) -> Queue | None:
    """None for a robot that never said: it runs no agent of ours, or has not come back."""
    row = Presence.objects.filter(pk=robot_id).first()
    back = returned([robot_id]).get(robot_id)
    if row is None or (back is not None and row.received_at < back):
        return None
    return Queue(row.queued, row.received_at, row.interval_s)


def interval_of(robot_id: str) -> float | None:
    """How often it says that it measures, in seconds."""
    return Presence.objects.filter(pk=robot_id).values_list("interval_s", flat=True).first()


def slow_of(known: Now, now: datetime) -> Slow:
    """What is asked less often."""
    robot_id = known.robot.pk
    names = numeric(known.entry.values)
    ranges = usual(robot_id, names, now=now)
    counted = max(ranges, key=lambda name: ranges[name].count, default=names[0] if names else "")
    start = born(robot_id)
    kinds = within_reach(robot_id, start)
    return Slow(
        day(robot_id, counted, now=now),
        page(robot_id, now, FEW).items,
        before_of(known, now),
        ranges,
        start,
        kinds,
        DeadLetter.objects.filter(robot_id=robot_id, replayed_at=None)[:COUNTED].count(),
        agent_log_of(robot_id, kinds, now),
        tuple(newest(robot_id)),
        limits_of(known.robot),
    )


def agent_log_of(robot_id: str, kinds: Collection[str], now: datetime) -> AgentLog:
    """The newest answer among what the robot told lately; what lies further back is old anyway."""
    can = LOGS in kinds
    asked = Outgoing.objects.filter(robot=robot_id, kind=LOGS).order_by("-expires_at").first()
    if not can and asked is None:
        return AgentLog(can)
    found = next((one for one in told(robot_id, until=now, limit=MOST_TOLD) if one.kind == "log"), None)
    if found is None:
        return AgentLog(can, asked=asked)
    return AgentLog(can, tuple(str(line) for line in found.data.get("lines") or ()), found.at, asked)


def before_of(known: Now, now: datetime) -> tuple[Item, ...]:
    """What changed shortly before the gravest alarm opened."""
    alarm = known.worst
    if alarm is None:
        return ()
    found = page(known.robot.pk, alarm.opened_at, MOST_BEFORE + 2, since=alarm.opened_at - BEFORE).items
    return tuple(item for item in found if not _is(alarm, item))[:MOST_BEFORE]


def _is(alarm: Alarm, item: Item) -> bool:
    """Whether a line of the log is the alarm itself, or the event that raised it."""
    if item.alarm is not None:
        return item.alarm.pk == alarm.pk
    return item.told is not None and item.told.kind == "event" and alarm.kind.endswith(str(item.told.data.get("code")))


def numeric(values: Mapping[str, Any]) -> list[str]:
    """Names of the metrics that are numbers, in the order in which they are shown."""
    known = (metrics.describe(name) for name, value in values.items() if as_number(value) is not None)
    return [metric.name for metric in sorted(known, key=lambda metric: (metric.rank, metric.name))]


def letters(robot_id: str) -> Sequence[DeadLetter]:
    """What could not be stored of a robot, the newest first."""
    return list(DeadLetter.objects.filter(robot_id=robot_id).defer("body").order_by("-pk")[:MOST_LETTERS])


def alarms_between(robot_id: str, start: datetime, end: datetime, most: int) -> Collection[Alarm]:
    """Alarms that were open at some time between these two, the newest first."""
    opened = Alarm.objects.filter(robot_id=robot_id, opened_at__gte=start, opened_at__lt=end).order_by("-opened_at")[:most]
    still = Alarm.objects.filter(robot_id=robot_id, resolved_at=None, opened_at__lt=start)[:most]
    ended = Alarm.objects.filter(robot_id=robot_id, resolved_at__gte=start, opened_at__lt=start).order_by("-resolved_at")[:most]
    return {alarm.pk: alarm for alarm in (*opened, *still, *ended) if alarm.suppressed_by_id is None}.values()
