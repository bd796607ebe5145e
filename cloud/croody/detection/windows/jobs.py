"""What runs by the clock for detection: every screened window gets a verdict, and verdicts that pile up become an alarm."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final, NamedTuple

from django.db import DataError, IntegrityError, transaction

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.detection.kinds import ANOMALY
from croody.detection.models import Cursor, Verdict
from croody.detection.windows import suspicion
from croody.detection.windows.judge import Usuals, judge
from croody.telemetry.jobs.aside import aside_of, set_aside
from croody.telemetry.models import Record
from croody.telemetry.read.follow import HOLE_S
from croody.telemetry.read.sql import sliced
from croody.web.turns import give_way

CURSOR: Final = "windows"
PAGE: Final = 500
#: Windows whose verdicts are one transaction: a robot's usual may be some hundred kilobytes.
JUDGED: Final = 10
#: At most so many windows a run: the next run goes on, and other jobs get their turn.
MOST: Final = 5_000
#: Ids are given before the commit, so a window may appear behind one that was read already: so long the cursor waits.
SETTLE: Final = timedelta(seconds=HOLE_S)
#: Of the evidence for one alarm, the newest so many windows are looked at.
EVIDENCE: Final = 500
_JOB: Final = "score_windows"


def score_windows(now: datetime) -> None:
    """Judge the windows that came since the last run; raise and resolve alarms.

    May be stopped anywhere: verdicts, the robots' usual and alarms are one transaction for a few windows, a window that
    has a verdict is not judged again, and the cursor moves last. One that cannot be judged is set aside alone.
    """
    first = Cursor.objects.filter(name=CURSOR).values_list("last_id", flat=True).first() or 0
    last_id, settled, read = first, True, 0
    while read < MOST:
        found = Record.objects.filter(kind="window", id__gt=last_id).order_by("id")
        page = [_Place(*row) for row in found.values_list("id", "robot_id", "stream", "seq", "received_at")[:PAGE]]
        if not page:
            break
        # What was judged before costs a look: who sends many windows keeps nobody else's from being judged.
        read += _judge_page(page, now)
        settled = settled and _move_cursor(page, now)
        last_id = page[-1].id
    _resolve_quiet(now)


class _Place(NamedTuple):
    """A window without what is in it."""

    id: int
    robot_id: str
    stream: str
    seq: int
    received_at: datetime


def _judge_page(page: Sequence[_Place], now: datetime) -> int:
    """Judge what is new on the page; says how many that were."""
    seen = _seen(page)
    new = [place for place in page if (place.robot_id, place.stream, place.seq) not in seen]
    aside = aside_of(_JOB, [_name(place) for place in new]) if new else set()
    new = [place for place in new if _name(place) not in aside]
    usuals = Usuals(now)
    for places in sliced(new, JUDGED):
        some = list(Record.objects.filter(pk__in=[place.id for place in places]).order_by("id"))
        try:
            _judge(some, usuals, now)
        except (DataError, IntegrityError):
            usuals = Usuals(now)
            for record in some:
                usuals = _judge_alone(record, usuals, now)
    return len(new)


def _judge_alone(record: Record, usuals: Usuals, now: datetime) -> Usuals:
    """One window of those of which the database refused one. Gives the usuals to go on with."""
    try:
        _judge([record], usuals, now)
    except (DataError, IntegrityError) as error:
        # Two that judge at once: the other one's verdict is there, and nothing is left out.
        if not _seen([_Place(record.id, record.robot_id, record.stream, record.seq, record.received_at)]):
            set_aside(_JOB, record.robot_id, _name(record), error, now)
        return Usuals(now)
    return usuals


def _judge(some: Sequence[Record], usuals: Usuals, now: datetime) -> None:
    """Work the verdicts out, then write them with all that follows from them."""
    verdicts = []
    for record in some:
        try:
            verdicts.append(judge(record, usuals))
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            set_aside(_JOB, record.robot_id, _name(record), error, now)
    begun_s = time.monotonic()
    with transaction.atomic():
        Verdict.objects.bulk_create(verdicts)
        usuals.save()
        _raise_alarms(verdicts, now)
    give_way("default", time.monotonic() - begun_s)


def _name(window: Record | _Place) -> str:
    return f"window {window.id}, {window.stream} {window.seq}"


def _move_cursor(page: Sequence[_Place], now: datetime) -> bool:
    """Say whether the whole page has settled; the cursor stands behind the last that has without a break."""
    settled = list(takewhile(lambda record: record.received_at <= now - SETTLE, page))
    if settled:
        with transaction.atomic():
            cursor, _ = Cursor.objects.select_for_update().get_or_create(name=CURSOR)
            cursor.last_id = max(cursor.last_id, settled[-1].id)
            cursor.save()
    return len(settled) == len(page)


def _seen(page: Sequence[_Place]) -> set[tuple[str, str, int]]:
    """Keys of the page's windows that have a verdict."""
    keys = {(record.robot_id, record.stream, record.seq) for record in page}
    robots, streams, seqs = (set(part) for part in zip(*keys, strict=True))
    found = Verdict.objects.filter(robot_id__in=robots, stream__in=streams, seq__in=seqs)
    return set(found.values_list("robot_id", "stream", "seq"))


def _raise_alarms(fresh: Sequence[Verdict], now: datetime) -> None:
    """For every robot with new evidence: open an alarm when there is enough of it, keep an open one alive with any."""
    newest: dict[str, datetime] = {}
    for verdict in fresh:
        if verdict.suspect and verdict.confirmed:
            newest[verdict.robot_id] = max(verdict.at, newest.get(verdict.robot_id, verdict.at))
    is_open = set(Alarm.objects.filter(robot_id__in=newest, kind=ANOMALY.code, resolved_at=None).values_list("robot_id", flat=True))
    for robot_id, until in sorted(newest.items()):
        rows = Verdict.objects.filter(robot_id=robot_id, suspect=True, confirmed=True, at__gt=until - suspicion.WITHIN, at__lte=until)
        evidence = [suspicion.Evidence(row.at, row.edge_score, row.drivers) for row in rows.order_by("-at", "-id")[:EVIDENCE]]
        detail = suspicion.worth_an_alarm(evidence) or (suspicion.describe(evidence) if robot_id in is_open else None)
        if detail is not None:
            raise_alarm(robot_id, ANOMALY, "", suspicion.severity(detail), detail, now)


def _resolve_quiet(now: datetime) -> None:
    for alarm in Alarm.objects.filter(kind=ANOMALY.code, resolved_at=None, last_at__lt=now - suspicion.QUIET):
        resolve_alarm(alarm.robot_id, ANOMALY.code, alarm.key, now)
