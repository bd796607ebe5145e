"""What the API answers of readings and streams. Which reading is the newest is said by `newest`, who may see it by `access`."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from heapq import merge, nlargest
from itertools import islice
from typing import Any, Final

import msgspec
from django.db.models import Count
from msgspec import Raw

from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.models import DeadLetter, Stream
from croody.telemetry.read.newest import Newest, newest_of, places_of
from croody.telemetry.read.sql import sliced
from croody.telemetry.read.trail import Heard, readings, trails
from croody_contract import ranges
from croody_contract.limits import MIB

#: All trails of one answer together, in bytes of their readings; each robot has an equal share, and its newest reading in any case.
LIVE_BYTES: Final = 8 * MIB
#: Who asks for one robot's streams gets so many of its folded ones, too.
_FOLDED: Final = 100


def last(robot_id: str) -> Raw | None:
    """The newest reading of a robot, also when its row is past retention."""
    one = newest_of([robot_id]).get(robot_id)
    return Raw(one.row.encode()) if one is not None else None


def newest(robot_id: str, limit: int) -> list[Raw]:
    """At most `limit` readings of a robot, newest first."""
    return [Raw(one.row) for one in readings(robot_id, limit)]


def query(robot_ids: Collection[str], limit: int) -> list[Raw]:
    """At most `limit` readings of several robots together, newest first; each robot's own keep their order."""
    if len(robot_ids) == 1:
        return newest(next(iter(robot_ids)), limit)
    # Only robots that were heard lately can have any of them.
    heard = nlargest(limit, newest_of(robot_ids).values(), key=lambda one: one.heard_at)
    if not heard:
        return []
    share = min(limit, 2 * limit // len(heard) + 1)
    found = {one.robot_id: one for one in heard}
    every = [
        _and_more(robot_id, trail.heard() or [_kept(found[robot_id])], limit, share) for robot_id, trail in trails(found, share, said=True)
    ]
    return [Raw(one.row) for one in islice(merge(*every, key=lambda one: one.at, reverse=True), limit)]


def live(robot_ids: Collection[str], limit: int, *, now: datetime) -> Raw:
    """Every robot that has a reading: its newest one and a trail of at most `limit`, oldest first. As JSON: only bytes are joined.

    All trails together hold at most `LIVE_BYTES`: where readings are long, trails are short.
    """
    places = places_of(robot_ids) if limit > 1 else {}
    share = LIVE_BYTES // max(1, len(places))
    found = {robot_id: _within(trail.rows, share) for robot_id, trail in trails(places, limit, said=False) if trail.rows}
    # Their rows may be past retention; what the ledger keeps of the newest one is not.
    kept = newest_of(set(robot_ids).difference(found))
    found |= {robot_id: [one.row.encode()] for robot_id, one in kept.items()}
    robots = b",".join(
        [
            b'{"robot_id":%b,"last":%b,"trail":[%b]}' % (msgspec.json.encode(robot_id), rows[0], b",".join(rows[::-1]))
            for robot_id, rows in sorted(found.items())
        ]
    )
    rest = b'],"total_points":%d,"updated_at":%b}' % (sum(map(len, found.values())), msgspec.json.encode(now.isoformat()))
    return Raw(b"".join((b'{"robots":[', robots, rest)))


def streams(robot_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What the ledger says of each stream, in each robot's order.

    All that are not folded; of a single robot also the newest of those that are (finished, whole, silent for a minute).
    """
    out = []
    for some in sliced(sorted(robot_ids)):
        rows = list(Stream.objects.filter(robot_id__in=some, folded_at=None, known_last__gt=0).defer("latest"))
        if len(robot_ids) == 1:
            folded = Stream.objects.filter(robot_id=some[0], folded_at__isnull=False).order_by("-folded_at", "-place")
            rows += folded.defer("latest")[:_FOLDED]
        conflicts = _conflicts(rows)
        for row in sorted(rows, key=lambda row: (row.robot_id, row.place, row.pk)):
            out.append(
                {
                    "robot_id": row.robot_id,
                    "stream": row.stream,
                    "first_seq": 1,
                    "last_seq": row.known_last,
                    "stored": ranges.count(row.have),
                    "missing": missing(Entry(row.have, row.dead, row.dropped, row.known_last)),
                    "dropped": row.dropped,
                    "dead_letters": ranges.count(row.dead) + conflicts.get((row.robot_id, row.stream), 0),
                }
            )
    return out


def _conflicts(rows: Sequence[Stream]) -> dict[tuple[str, str], int]:
    """Letters of these streams about keys that another record holds."""
    found: dict[tuple[str, str], int] = {}
    for some in sliced(rows):
        letters = DeadLetter.objects.filter(
            reason="conflict", robot_id__in={row.robot_id for row in some}, stream__in={row.stream for row in some}
        )
        for robot_id, stream, count in letters.values_list("robot_id", "stream").annotate(Count("pk")):
            found[(robot_id, stream)] = count
    return found


def _and_more(robot_id: str, rows: list[Heard], limit: int, share: int) -> Iterator[Heard]:
    """A robot's readings, newest first; more of them are read only when all of `rows` are taken."""
    yield from rows
    if len(rows) >= share:
        yield from readings(robot_id, limit)[len(rows) :]


def _kept(one: Newest) -> Heard:
    """The newest reading as the ledger keeps it."""
    return Heard(one.heard_at, one.row.encode())


class _Sized(msgspec.Struct):
    """What counts of a row."""

    data: Raw


def _within(rows: list[bytes], most: int) -> list[bytes]:
    """As many of the newest as fit into `most` bytes of `data`, one at least."""
    if sum(map(len, rows)) <= most:
        return rows
    size = 0
    for count, row in enumerate(rows):
        size += len(memoryview(msgspec.json.decode(row, type=_Sized).data))
        if size > most and count:
            return rows[:count]
    return rows
