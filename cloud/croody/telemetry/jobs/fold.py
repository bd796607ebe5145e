"""Folds finished streams into their robot's totals, so that a robot that starts often costs no more to look at."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connections

from croody.telemetry.ingest.ledger import Entry, counts
from croody.telemetry.models import Stream, StreamTotal
from croody.web.turns import in_turns

#: A stream that has a later one, lacks nothing and was silent for so long is finished.
QUIET: Final = timedelta(minutes=1)
#: Of one robot, so many of the newest may wait for that; older ones are folded as they are.
MOST_OPEN: Final = 16
#: Streams in one transaction, and in one run.
FOLDED: Final = 50
_MOST: Final = 20_000
#: After so many PostgreSQL counts anew: until it did by itself, a minute later, it took nearly all rows for open ones, and read the whole
#: ledger for each page.
_COUNT_ANEW: Final = 1000
_FINISHED: Final = """
SELECT id FROM (
    SELECT id, robot_id, stream, last_received_at, missing_since, row_number() OVER (PARTITION BY robot_id ORDER BY place DESC) AS age
    FROM telemetry_stream WHERE folded_at IS NULL AND stream NOT IN ('http', 'mqtt')
) AS open
WHERE age > %s OR (age > 1 AND missing_since IS NULL AND last_received_at < %s)
ORDER BY robot_id, stream LIMIT %s
"""


def fold_finished(now: datetime) -> None:
    """Fold what is finished, and what is beyond the `MOST_OPEN` newest streams of its robot. A robot's newest stream never is.

    Ledger rows stay: a late repeat is still known for one, a gap is still asked for, and whatever else comes takes the
    stream out again.
    """
    alias = settings.TELEMETRY_DB
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_FINISHED, [MOST_OPEN, connection.ops.adapt_datetimefield_value(now - QUIET), _MOST])
        found = [row[0] for row in cursor.fetchall()]
    in_turns(found, FOLDED, lambda some: _fold(some, now), alias)
    if len(found) >= _COUNT_ANEW and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE telemetry_stream")


def _fold(some: Sequence[int], now: datetime) -> None:
    # Rows that an ingest holds are left for the next run: waiting for them could end in a ring.
    rows = Stream.objects.filter(pk__in=some, folded_at=None).select_for_update(skip_locked=True).order_by("robot_id", "stream")
    folded: dict[str, list[Stream]] = defaultdict(list)
    for row in rows.defer("latest"):
        folded[row.robot_id].append(row)
    Stream.objects.filter(pk__in=[row.pk for mine in folded.values() for row in mine]).update(folded_at=now)
    for robot_id, mine in sorted(folded.items()):
        StreamTotal.objects.get_or_create(robot_id=robot_id)
        total = StreamTotal.objects.select_for_update().get(robot_id=robot_id)
        for row in mine:
            came = counts(Entry(row.have, row.dead, row.dropped, row.known_last))
            total.streams += 1
            total.stored += came.stored
            total.dead += came.dead
            total.dropped += came.dropped
            total.missing += came.missing
            total.gaps += came.gaps
            total.heard_at = max(row.last_received_at, total.heard_at or row.last_received_at)
        total.save()
