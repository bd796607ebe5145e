"""What the API answers of readings and streams. Which reading is the newest is said by `newest`, who may see it by `access`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge, nlargest
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
from django.db.models import Count
from msgspec import Raw

from croody.fleet.queries import returned
from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.models import DeadLetter, Record, Stream
from croody.telemetry.read import cursor
from croody.telemetry.read.cursor import UNREAD, Cursor
from croody.telemetry.read.newest import Newest, newest_of
from croody.telemetry.read.sql import sliced
from croody.telemetry.read.trail import Heard, readings, readings_of, trails
from croody.telemetry.read.trail_cache import trails_of
from croody_contract import ranges
from croody_contract.limits import MIB
from croody_contract.topics import PLAIN_STREAMS

#: All trails of one answer together, in bytes of their readings; each robot has an equal share, and its newest reading in any case.
LIVE_BYTES: Final = 8 * MIB
#: Readings of one answer to a query, in bytes; one in any case.
QUERY_BYTES: Final = 4 * MIB
#: So many are read at first, and at most so many times as many each time after that: nobody knows before how large they are.
_FIRST: Final = 200
_WIDER: Final = 8
#: Who asks for one robot's streams gets so many of its folded ones, too.
_FOLDED: Final = 100
#: Ranges of one stream that an answer lists.
MOST_RANGES: Final = 1000


def last(robot_id: str) -> Raw | None:
    """The newest reading of a robot, also when its row is past retention."""
    one = newest_of([robot_id]).get(robot_id)
    return Raw(one.row.encode()) if one is not None else None


def last_of_all(robot_ids: Collection[str]) -> Raw | None:
    """The reading that was heard last of all these robots."""
    one = max(newest_of(robot_ids).values(), key=lambda one: one.heard_at, default=None)
    return Raw(one.row.encode()) if one is not None else None


class Page(NamedTuple):
    """Readings, newest first; `cursor`: where the next page begins, empty where there is none."""

    rows: list[Raw]
    cursor: str


def query(robot_ids: Collection[str], limit: int, before: str = "") -> Page:
    """At most `limit` readings of these robots together, newest first; each robot's own keep their order. At most `QUERY_BYTES` of them.

    Args:
        robot_ids: of whom.
        limit: how many at most.
        before: a cursor, for what comes after the page that gave it.

    Raises:
        Refused: not a cursor, or one whose readings are gone.
    """
    seen = cursor.parsed(before)
    cursors = cursor.cursors_of(seen, robot_ids)
    #: The last reading that was given of each robot: of its agent, and of each way without a stream.
    ends = _ends_of(seen, robot_ids)
    rows: list[Heard] = []
    size, step, more = 0, min(limit, _FIRST), True
    while more and len(rows) < limit:
        found = _newest(robot_ids, step, cursors)
        more = len(found) == step
        for one in found:
            size += len(one.row)
            if rows and size > QUERY_BYTES:
                more = True
                break
            rows.append(one)
        ends |= _ends(rows[-len(found) :])
        if size > QUERY_BYTES or not more:
            break
        if len(rows) < limit:
            cursors = cursor.cursors_of(ends.values(), robot_ids)
            step = max(1, min(limit - len(rows), _WIDER * step, (QUERY_BYTES - size) * len(rows) // max(1, size) + 1))
    return Page([Raw(one.row) for one in rows], cursor.named(ends.values()) if more and rows else "")


def _newest(robot_ids: Collection[str], limit: int, cursors: Mapping[str, Cursor]) -> list[Heard]:
    """One step of `query`."""
    if len(robot_ids) == 1:
        robot_id = next(iter(robot_ids))
        return readings(robot_id, limit, cursors.get(robot_id, UNREAD))
    latest = newest_of(robot_ids)
    # Only robots that were heard lately can have any of them; of one that was read in part nobody knows what is next.
    unread = nlargest(limit, (one for one in latest.values() if one.robot_id not in cursors), key=lambda one: one.heard_at)
    found = {one.robot_id: one for one in unread} | {robot_id: one for robot_id, one in latest.items() if robot_id in cursors}
    if not found:
        return []
    share = min(limit, 2 * limit // len(found) + 1)
    begun = [robot_id for robot_id, one in found.items() if one.beside or robot_id in cursors]
    alone = {robot_id: one for robot_id, one in found.items() if robot_id not in begun}
    some = [(robot_id, trail.heard(found[robot_id].stream)) for robot_id, trail in trails(alone, share, said=True)]
    some += readings_of(begun, share, cursors)
    every = [
        _and_more(robot_id, rows or ([] if cursors else [_kept(found[robot_id])]), limit, share, cursors.get(robot_id, UNREAD))
        for robot_id, rows in some
    ]
    return list(islice(merge(*every, key=lambda one: one.at, reverse=True), limit))


class _Named(msgspec.Struct):
    """Which reading a row is."""

    id: int
    robot_id: str


def _ends(rows: Sequence[Heard]) -> dict[tuple[str, str], int]:
    """(robot, way) -> the last of these readings that came so."""
    found = {}
    for one in rows:
        # What the ledger alone keeps may be gone, and nothing of its robot comes after it.
        if one.stream:
            row = msgspec.json.decode(one.row, type=_Named)
            found[(row.robot_id, one.stream if one.stream in PLAIN_STREAMS else "")] = row.id
    return found


def _ends_of(ids: Sequence[int], robot_ids: Collection[str]) -> dict[tuple[str, str], int]:
    """The same of a cursor."""
    found = Record.objects.filter(pk__in=ids, robot_id__in=list(robot_ids)).values_list("pk", "robot_id", "stream") if ids else []
    return {(robot_id, stream if stream in PLAIN_STREAMS else ""): number for number, robot_id, stream in found}


def live(robot_ids: Collection[str], limit: int, *, now: datetime) -> Raw:
    """Every robot that has a reading: its newest one and a trail of at most `limit`, oldest first. As JSON: only bytes are joined.

    All trails together hold at most `LIVE_BYTES`: where readings are long, trails are short.
    """
    trailing = trails_of(robot_ids, limit) if limit > 1 else {}
    share = LIVE_BYTES // max(1, len(trailing))
    found = {robot_id: _within(rows, share) for robot_id, rows in trailing.items()}
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


def streams(robot_ids: Sequence[str], *, folded_most: int = _FOLDED) -> list[dict[str, Any]]:
    """What the ledger says of each stream, in each robot's order.

    All that are not folded; of a single robot also the newest of those that are (finished, whole, silent for a minute).
    """
    out = []
    for some in sliced(sorted(robot_ids)):
        rows = list(Stream.objects.filter(robot_id__in=some, folded_at=None, known_last__gt=0).defer("latest"))
        if len(robot_ids) == 1:
            folded = Stream.objects.filter(robot_id=some[0], folded_at__isnull=False).order_by("-folded_at", "-place")
            rows += folded.defer("latest")[:folded_most]
        conflicts, back = _conflicts(rows), returned(set(some))
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
                    **({"earlier": True} if row.robot_id in back and row.last_received_at < back[row.robot_id] else {}),
                }
            )
    return out


def streams_told(robot_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The same for who asks over HTTP: of each list the newest `MOST_RANGES`, and beside it how many before them were left out."""
    out = streams(robot_ids)
    for row in out:
        for name in ("missing", "dropped"):
            if (more := len(row[name]) - MOST_RANGES) > 0:
                row[name], row[f"{name}_before"] = row[name][more:], more
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


def _and_more(robot_id: str, rows: list[Heard], limit: int, share: int, read: Cursor) -> Iterator[Heard]:
    """A robot's readings, newest first; more of them are read only when all of `rows` are taken."""
    yield from rows
    if len(rows) >= share:
        yield from readings(robot_id, limit, read)[len(rows) :]


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
