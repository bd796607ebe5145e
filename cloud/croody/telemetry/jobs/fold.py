"""Folds finished streams into their robot's totals, so that a robot that starts often costs no more to look at."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from croody.telemetry.ingest.services import retention
from croody.telemetry.models import Stream, StreamTotal
from croody_contract import ranges
from croody_contract.topics import PLAIN_STREAMS

_SLICE: Final = 500


def fold_finished(now: datetime) -> None:
    """Fold streams that have a successor, lack nothing, and were last heard before retention.

    Their ledger rows stay: a late repeat is still known for one, and something new takes the stream out again.
    """
    alias = settings.TELEMETRY_DB
    while _fold_some(now, alias) == _SLICE:
        pass


def _fold_some(now: datetime, alias: str) -> int:
    with transaction.atomic(using=alias):
        # Rows that an ingest holds are left for the next run: waiting for them could end in a ring.
        found = list(_finished(now).select_for_update(skip_locked=True, of=("self",)).order_by("robot_id", "stream")[:_SLICE])
        for row in found:
            StreamTotal.objects.get_or_create(robot_id=row.robot_id)
            StreamTotal.objects.filter(robot_id=row.robot_id).update(
                streams=F("streams") + 1,
                stored=F("stored") + ranges.count(row.have),
                dead=F("dead") + ranges.count(row.dead),
                dropped=F("dropped") + ranges.count(row.dropped),
            )
        Stream.objects.filter(pk__in=[row.pk for row in found]).update(folded_at=now)
    return len(found)


def _finished(now: datetime) -> QuerySet[Stream]:
    successor = Stream.objects.filter(robot_id=OuterRef("robot_id"), prev=OuterRef("stream"))
    return (
        Stream.objects.filter(folded_at=None, missing_since=None, last_received_at__lt=now - retention())
        .exclude(stream__in=PLAIN_STREAMS)
        .filter(Exists(successor))
    )
