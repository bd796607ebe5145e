"""Makes the partitions of the days to come, and lets go of what is older than retention."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connections
from django.db.models import QuerySet

from croody.telemetry.ingest.services import retention
from croody.telemetry.jobs.rollups import catch_up
from croody.telemetry.models import BridgeRun, DeadLetter, Delivered, Record, Rollup, SetAside
from croody.telemetry.store import deliveries, partitions
from croody.web.turns import in_turns

#: One-minute roll-ups outlive the rows by this; one-hour ones stay.
MINUTES_KEPT: Final = timedelta(days=400)
#: Rows that one transaction deletes: of letters, which may be long, fewer. And transactions a table and run.
DELETED: Final = 400
DELETED_LETTERS: Final = 50
_MOST_SLICES: Final = 1000


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
        _delete(Record.objects.filter(at__lt=start))
    _delete(DeadLetter.objects.filter(received_at__lt=start), DELETED_LETTERS)
    _delete(Rollup.objects.filter(step_s=60, at__lt=start - MINUTES_KEPT))
    _delete(SetAside.objects.filter(at__lt=start))


def forget_deliveries(now: datetime) -> None:
    """Let go of what no bridge and no broker brings again."""
    _delete(Delivered.objects.filter(at__lt=now - deliveries.MARKS_KEPT))
    _delete(BridgeRun.objects.filter(at__lt=now - deliveries.RUNS_KEPT))


def _delete(rows: "QuerySet[Any]", size: int = DELETED) -> None:
    manager = rows.model._default_manager.using(rows.db)
    for _ in range(_MOST_SLICES):
        some = list(rows.values_list("pk", flat=True)[:size])
        in_turns(some, size, lambda keys: manager.filter(pk__in=keys).delete(), rows.db)
        if len(some) < size:
            return
