"""What runs by the clock for detection: every screened window gets a verdict, and verdicts that pile up become an alarm."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.detection.kinds import ANOMALY
from croody.detection.models import Cursor, Verdict
from croody.detection.windows import suspicion
from croody.detection.windows.judge import Usuals, judge
from croody.telemetry.models import Record

CURSOR: Final = "windows"
PAGE: Final = 500
#: At most so many windows a run: the next run goes on, and other jobs get their turn.
MOST: Final = 5_000
#: Ids are given before the commit, so a window may appear behind one that was read already: so long the cursor waits.
SETTLE: Final = timedelta(seconds=60)


def score_windows(now: datetime) -> None:
    """Judge the windows that came since the last run; raise and resolve alarms.

    May be stopped anywhere: verdicts, the robots' usual, alarms and the cursor are one transaction a page, and a window
    that has a verdict is not judged again.
    """
    first = Cursor.objects.filter(name=CURSOR).values_list("last_id", flat=True).first() or 0
    last_id, settled, read = first, True, 0
    while read < MOST:
        page = list(Record.objects.filter(kind="window", id__gt=last_id).order_by("id")[:PAGE])
        if not page:
            break
        settled = _judge_page(page, now, settled)
        last_id, read = page[-1].id, read + len(page)
    _resolve_quiet(now)


@transaction.atomic
def _judge_page(page: Sequence[Record], now: datetime, settled: bool) -> bool:
    """Judge what is new on the page. Moves the cursor only while all before was settled; says whether it still is."""
    cursor, _ = Cursor.objects.select_for_update().get_or_create(name=CURSOR)
    seen = _seen(page)
    usuals = Usuals(now)
    fresh = [judge(record, usuals) for record in page if (record.robot_id, record.stream, record.seq) not in seen]
    Verdict.objects.bulk_create(fresh)
    usuals.save()
    _raise_alarms(fresh, now)
    if not settled:
        return False
    for record in page:
        if record.received_at > now - SETTLE:
            settled = False
            break
        cursor.last_id = max(cursor.last_id, record.id)
    cursor.save()
    return settled


def _seen(page: Sequence[Record]) -> set[tuple[str, str, int]]:
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
        evidence = [suspicion.Evidence(row.at, row.edge_score, row.drivers) for row in rows]
        detail = suspicion.worth_an_alarm(evidence) or (suspicion.describe(evidence) if robot_id in is_open else None)
        if detail is not None:
            raise_alarm(robot_id, ANOMALY, "", suspicion.severity(detail), detail, now)


def _resolve_quiet(now: datetime) -> None:
    for alarm in Alarm.objects.filter(kind=ANOMALY.code, resolved_at=None, last_at__lt=now - suspicion.QUIET):
        resolve_alarm(alarm.robot_id, ANOMALY.code, alarm.key, now)
