"""What became of everything that robots numbered: the one place that sums it up."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import F, Q, Sum

from croody.telemetry.ingest.ledger import Entry, counts
from croody.telemetry.models import Stream, StreamTotal
from croody.telemetry.read.sql import sliced
from croody_contract.topics import PLAIN_STREAMS

_COLUMNS: Final = ("robot_id", "have", "dead", "dropped", "known_last")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Numbers of a robot: each is one of the four. `missing` may still come, in `gaps` holes."""

    stored: int = 0
    dead: int = 0
    dropped: int = 0
    missing: int = 0
    gaps: int = 0

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Of one stream."""
        return cls(*counts(entry))

    def __add__(self, other: "Delivered") -> "Delivered":
        return Delivered(
            self.stored + other.stored,
            self.dead + other.dead,
            self.dropped + other.dropped,
            self.missing + other.missing,
            self.gaps + other.gaps,
        )


def delivered(robot_ids: Collection[str]) -> dict[str, Delivered]:
    """Of each robot that numbered anything, everything it ever queued: from its totals and the few streams that are not folded.

    Readings that came without a number prove nothing, and are not in it.
    """
    out: dict[str, Delivered] = {}
    for some in sliced(sorted(robot_ids)):
        totals = StreamTotal.objects.filter(robot_id__in=some)
        for robot_id, *sums in totals.values_list("robot_id", "stored", "dead", "dropped", "missing", "gaps"):
            out[robot_id] = Delivered(*sums)
        rows = Stream.objects.filter(robot_id__in=some, folded_at=None, known_last__gt=0).exclude(stream__in=PLAIN_STREAMS)
        counted = Q(counted_at=F("last_received_at"))
        for robot_id, *sums in rows.filter(counted).order_by().values_list("robot_id").annotate(*map(Sum, Stream.COUNTS)):
            out[robot_id] = out.get(robot_id, Delivered()) + Delivered(*sums)
        # What an earlier version wrote last: once a version, a handful a robot.
        for robot_id, *entry in rows.exclude(counted).values_list(*_COLUMNS):
            out[robot_id] = out.get(robot_id, Delivered()) + Delivered.of(Entry(*entry))
    return out
