"""The readings' own stream: what is new in `telemetry_record`, once a process. Knows the table, never HTTP."""

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.utils import timezone

from croody.accounts.caller import Caller
from croody.fleet.access import ids_now
from croody.live import sse
from croody.live.cursor import Place, along
from croody.live.hub import Feed, Listener
from croody.telemetry.models import Record
from croody.telemetry.read.follow import Follower, from_now, records_since
from croody.telemetry.rows import api_row
from croody_contract.ranges import members

#: A robot that is new, or shared no more, counts after so long, in seconds.
VISIBLE_FOR_S: Final = 2.0
#: What one page of catching up holds, about: a listener that does not read keeps no more than that.
PAGE_BYTES: Final = 256 * 1024
#: Rows of its first page, before anybody knows how large they are, and of any.
FIRST_ROWS: Final = 4
MOST_ROWS: Final = 500
#: Rows that the feed takes at once; where they are large fewer, and the next ones sooner.
MOST_NEW: Final = 1000
#: What was published lately stays in memory, in bytes: who opens a stream or has caught up joins from there, and asks no database.
RECENT_BYTES: Final = 4 * 1024 * 1024
#: A row's number, its robot and its event.
Event = tuple[int, str, bytes]


def shown(row: Record) -> dict[str, Any]:
    """A row as the HTTP API shows it, and its place in its stream."""
    place = (row.lat, row.lng, row.alt)
    known = api_row(row.pk, row.robot_id, row.at, row.ts, row.data, place, row.environment, row.status)
    return {**known, "stream": row.stream, "seq": row.seq, "historical": row.historical}


def encoded(row: Record, place: Place) -> bytes:
    """One `reading` event; `place` is where who got it stands."""
    return sse.event("reading", shown(row), event_id=str(place))


@dataclass(frozen=True, slots=True)
class Page:
    """`count` readings for one listener who catches up, as bytes; the place after all of them, and whether there may be more."""

    count: int
    chunk: bytes
    place: Place
    newest: Follower
    full: bool


def page_after(place: Place, robot_ids: Collection[str], limit: int) -> Page:
    """What is there of these robots and was not at `place`: all that came late, and at most `limit` behind it."""
    # First what is there, then the rows: whatever commits in between is a hole and is looked at again.
    newest = from_now(timezone.now())
    table = Place.of(newest)
    wanted = Record.objects.filter(kind="reading", robot_id__in=list(robot_ids))
    late = list(wanted.filter(pk__in=list(members(place.holes))).order_by("pk")) if place.holes else []
    new = list(wanted.filter(pk__gt=place.high, pk__lte=table.high).order_by("pk")[:limit])
    full = len(new) == limit
    rows = [*late, *new]
    numbers = [row.pk for row in rows]
    after = place.after(numbers, table, new[-1].pk if full else table.high)
    chunk = b"".join(map(encoded, rows, along(place, numbers, after)))
    return Page(len(numbers), chunk, after, newest, full)


def next_limit(limit: int, page_bytes: int, *, most: int = MOST_ROWS) -> int:
    """How many rows to ask for next, so that a page stays near `PAGE_BYTES`: a reading has 100 bytes or 64 KiB."""
    fitting = limit * PAGE_BYTES // max(1, page_bytes)
    return max(1, min(most, 4 * limit, fitting))


class Found(NamedTuple):
    """New rows, each with the place after it; and the place after all of them."""

    rows: list[tuple[Record, Place]]
    after: Place


class RecordFeed(Feed):
    """Every new reading to every listener that may see its robot."""

    period_s = 0.15

    def __init__(self) -> None:
        super().__init__("readings")
        self.follower: Follower | None = None
        self._limit = FIRST_ROWS
        self._visible: dict[Caller, frozenset[str]] = {}
        self._visible_until = 0.0
        #: What was published, by when; all of it that was since `_recent_since`.
        self._recent: deque[tuple[float, list[Event]]] = deque()
        self._recent_bytes = 0
        self._recent_since = 0.0

    def forget(self) -> None:
        """Where it was: the next listener says where to begin."""
        self.follower = None
        self._visible = {}
        self._visible_until = 0.0
        self._recent.clear()
        self._recent_bytes = 0

    @property
    def running(self) -> bool:
        """Whether it knows where it is."""
        return self.follower is not None

    def welcome(self, listener: Listener) -> None:
        """Nothing: what is new comes by itself."""

    def begin_at(self, follower: Follower, at: float) -> None:
        """Who listens first says from where, and when (`time.monotonic`) it began to look; the others find the feed running."""
        if self.follower is None:
            self.follower, self._recent_since = follower, at

    def join_from(self, at: float, listener: Listener, place: Place | None = None) -> bool:
        """Let somebody join who saw all that was published before `at`; False when what came since is no longer in memory.

        `place`: what else it saw, and is not to get again.
        """
        if self.follower is None or at < self._recent_since:
            return False
        since = [event for when, events in self._recent if when > at for event in events]
        listener.place = place
        self.join(listener)
        if chunk := _joined(since, *self._view(listener), seen=place):
            listener.offer(chunk)
        return True

    def read(self) -> Found:
        """New rows since the last read."""
        if time.monotonic() >= self._visible_until:
            audiences = {listener.audience for listener in list(self.listeners)}
            self._visible = {audience: ids_now(audience) for audience in audiences}
            self._visible_until = time.monotonic() + VISIBLE_FOR_S
        now = timezone.now()
        before = self.follower or from_now(now)
        rows, self.follower = records_since(before, now=now, limit=self._limit)
        self.behind = len(rows) >= self._limit
        after = Place.of(self.follower)
        places = along(Place.of(before), [row.pk for row in rows], after)
        return Found([(row, place) for row, place in zip(rows, places, strict=True) if row.kind == "reading"], after)

    def publish(self, found: Found) -> None:
        """One encoding a row and one chunk for all who see the same, however many listen."""
        events = [(row.pk, row.robot_id, encoded(row, place)) for row, place in found.rows]
        size = sum(len(text) for _, _, text in events)
        self._limit = next_limit(max(len(events), self._limit), size, most=MOST_NEW)
        self._remember(events, size)
        shared: dict[tuple[frozenset[str], str | None], bytes] = {}
        for listener in list(self.listeners):
            view = self._view(listener)
            if listener.place is not None:
                chunk = _joined(events, *view, seen=listener.place)
                if found.after.covers(listener.place):
                    listener.place = None
            elif view in shared:
                chunk = shared[view]
            else:
                chunk = shared[view] = _joined(events, *view)
            if chunk:
                listener.offer(chunk)

    def _view(self, listener: Listener) -> tuple[frozenset[str], str | None]:
        return self._visible.get(listener.audience, listener.visible), listener.robot_id

    def _remember(self, events: list[Event], size: int) -> None:
        if events:
            self._recent.append((time.monotonic(), events))
            self._recent_bytes += size
        while self._recent_bytes > RECENT_BYTES:
            self._recent_since, oldest = self._recent.popleft()
            self._recent_bytes -= sum(len(text) for _, _, text in oldest)


def _joined(events: list[Event], visible: frozenset[str], robot_id: str | None, *, seen: Place | None = None) -> bytes:
    """What one view gets of these."""
    return b"".join(text for number, robot, text in events if _wanted(robot, visible, robot_id) and (seen is None or not seen.has(number)))


def _wanted(robot: str, visible: frozenset[str], robot_id: str | None) -> bool:
    return robot in visible and robot_id in (None, robot)


feed = RecordFeed()
