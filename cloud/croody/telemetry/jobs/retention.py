"""Makes the partitions of the days to come, and lets go of what is older than retention."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db import connections
from django.db.models import QuerySet

from croody.telemetry.ingest.services import retention
from croody.telemetry.jobs.rollups import catch_up
from croody.telemetry.models import BridgeRun, DeadLetter, Delivered, Picture, Record, RobotDay, Rollup, SetAside, Usage
from croody.telemetry.read.series import MINUTES_KEPT
from croody.telemetry.store import deliveries, partitions
from croody.telemetry.store.usage import DAY
from croody.web.turns import MOST_SLICES, delete_in_turns

#: Letters that one transaction deletes: they may be long.
DELETED_LETTERS: Final = 50


def make_partitions(now: datetime) -> None:
    """Have the partitions of today and the days to come there before midnight."""
    partitions.ensure(partitions.ahead(now))


def apply_retention(now: datetime) -> None:
    """Drop whole days that are older than retention, after they were rolled up. The ledger keeps what they held.

    Whole days only: a bucket of a roll-up is never computed again from half of its rows.
    """
    if not catch_up(now):
        # More came than one run rolls up: nothing goes before it is.
        return
    oldest = partitions.day_of(now - retention())
    start = datetime.combine(oldest, time(), UTC)
    if connections[settings.TELEMETRY_DB].vendor == "postgresql":
        partitions.drop_before(oldest)
    else:
        _delete_records(start)
    delete_in_turns(DeadLetter.objects.filter(received_at__lt=start), DELETED_LETTERS)
    # One-minute roll-ups outlive the rows by this; one-hour ones have a setting of their own.
    delete_in_turns(Rollup.objects.filter(step_s=60, at__lt=start - MINUTES_KEPT))
    delete_in_turns(Rollup.objects.filter(step_s=3600, at__lt=now - timedelta(days=settings.ENV.rollup_days)))
    delete_in_turns(Picture.objects.filter(received_at__lt=start), DELETED_LETTERS)
    delete_in_turns(RobotDay.objects.filter(day__lt=(now - timedelta(days=settings.ENV.rollup_days)).date()))
    delete_in_turns(SetAside.objects.filter(at__lt=start))


def _delete_records(before: datetime) -> None:
    """On SQLite, robot by robot: there is an index by (robot, time), and one by time alone made every insert dearer for this."""
    left, robot_id = MOST_SLICES, _robot_behind("")
    while left and robot_id is not None:
        left = delete_in_turns(old_of(robot_id, before), most=left)
        robot_id = _robot_behind(robot_id)


def old_of(robot_id: str, before: datetime) -> QuerySet[Record]:
    """What goes of one robot."""
    return Record.objects.filter(robot_id=robot_id, at__lt=before)


def _robot_behind(robot_id: str) -> str | None:
    return Record.objects.filter(robot_id__gt=robot_id).order_by("robot_id").values_list("robot_id", flat=True).first()


def forget_deliveries(now: datetime) -> None:
    """Let go of what no bridge and no broker brings again, and of what robots opened the day before: it counts no more."""
    delete_in_turns(Usage.objects.filter(at__lt=now - DAY))
    delete_in_turns(Delivered.objects.filter(at__lt=now - deliveries.MARKS_KEPT))
    delete_in_turns(BridgeRun.objects.filter(at__lt=now - deliveries.RUNS_KEPT))
