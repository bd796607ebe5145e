"""Trails that this process has read, kept so that who looks every second reads only what is new. Knows the ledger's word, no clock's.

What may be shown again is decided by the ledger row alone, which every insert changes in the same transaction: rows never change, so
while a stream has stored the same numbers, its newest readings are the same. Only retention takes rows away without a word there; so
nothing is kept for longer than `LIFE_S`.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from django.conf import settings

from croody.telemetry.ranges_field import read_ranges
from croody.telemetry.read.newest import Newest, stored_of
from croody.telemetry.read.trail import readings_from, trails
from croody.telemetry.store.postgres import read_text
from croody_contract import ranges
from croody_contract.limits import MIB
from croody_contract.ranges import Ranges

#: Of all trails together, in bytes; the one that was asked for longest ago goes first.
MOST_BYTES: Final = 16 * MIB
#: In seconds, from when a trail was read whole.
LIFE_S: Final = 60.0
_ROW_BYTES: Final = 64
#: (database, robot_id, how many readings)
_Key = tuple[str, str, int]


class _Trail(NamedTuple):
    """`stored`: the numbers that the stream had stored, as the database writes them."""

    stream: str
    seq: int
    stored: str
    rows: list[bytes]
    read_at_s: float

    def size(self) -> int:
        return len(self.stored) + sum(map(len, self.rows)) + _ROW_BYTES * (len(self.rows) + 4)


class Kept:
    """Safe between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes, self._clock = most_bytes, clock
        self._trails: OrderedDict[_Key, _Trail] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def trails(self, newest: Mapping[str, Newest], limit: int) -> dict[str, list[bytes]]:
        """Of each robot that has one its trail of at most `limit` readings as JSON, newest first. `newest`: from `stored_of`."""
        now_s, alias = self._clock(), settings.TELEMETRY_DB
        found: dict[str, list[bytes]] = {}
        grown: dict[str, _Trail] = {}
        for robot_id, one in newest.items():
            known = self._get((alias, robot_id, limit), one, now_s)
            if known is not None and known.seq == one.seq:
                found[robot_id] = known.rows
            elif known is not None:
                grown[robot_id] = known
        fresh = readings_from([(newest[robot_id], known.seq) for robot_id, known in grown.items()], limit + 1)
        for robot_id, known in grown.items():
            new = fresh.get(robot_id, [])
            # The last of them is the first that is kept, to the byte: then it is the same stream of the same database.
            if new and new[-1] == known.rows[0]:
                found[robot_id] = rows = [*new, *known.rows[1:]][:limit]
                self._put((alias, robot_id, limit), newest[robot_id], rows, known.read_at_s)
        rest = {robot_id: one for robot_id, one in newest.items() if robot_id not in found}
        for robot_id, trail in trails(rest, limit, said=False):
            if trail.rows:
                found[robot_id] = trail.rows
                if len(trail.rows) == limit and not trail.mixed:
                    self._put((alias, robot_id, limit), rest[robot_id], trail.rows, now_s)
        return found

    def _get(self, key: _Key, one: Newest, now_s: float) -> _Trail | None:
        """What is kept, if it is still true, or lacks nothing but newer readings."""
        with self._lock:
            known = self._trails.get(key)
            if known is None:
                return None
            self._trails.move_to_end(key)
        if known.stream != one.stream or one.beside or now_s - known.read_at_s > LIFE_S:
            return None
        if known.seq == one.seq:
            return known if known.stored == one.row else None
        is_grown = 0 < one.seq - known.seq <= key[2] and bool(one.row) and _upto(one.row, known.seq) == _upto(known.stored, known.seq)
        return known if is_grown else None

    def _put(self, key: _Key, one: Newest, rows: list[bytes], read_at_s: float) -> None:
        if not one.row or one.beside:
            return
        trail = _Trail(one.stream, one.seq, one.row, rows, read_at_s)
        with self._lock:
            before = self._trails.pop(key, None)
            self._bytes += trail.size() - (before.size() if before is not None else 0)
            self._trails[key] = trail
            while self._bytes > self._most_bytes:
                self._bytes -= self._trails.popitem(last=False)[1].size()


def _upto(stored: str, seq: int) -> Ranges:
    """The stored numbers up to one, of `stored_of`."""
    have = stored.partition("@")[0]
    return ranges.intersect(read_text(have) if have.startswith("{") else read_ranges(have), ((1, seq),))


_kept: Final = Kept()


def trails_of(robot_ids: Collection[str], limit: int) -> dict[str, list[bytes]]:
    """Of each robot that has one its trail of at most `limit` readings as JSON, newest first."""
    return _kept.trails(stored_of(robot_ids), limit)
