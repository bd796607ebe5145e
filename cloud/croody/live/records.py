"""The readings' own stream: what is new in `telemetry_record`, once a process. Knows the table, never HTTP."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

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
FIRST_ROWS: Final = 16
MOST_ROWS: Final = 500
#: Rows that the feed takes at once; where they are large fewer, and the next ones sooner.
MOST_NEW: Final = 1000


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
    """Readings for one listener who catches up, as bytes; the place after all of them, and whether there may be more."""

    numbers: frozenset[int]
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
    return Page(frozenset(numbers), chunk, after, newest, full)


def next_limit(limit: int, page_bytes: int, *, most: int = MOST_ROWS) -> int:
    """How many rows to ask for next, so that a page stays near `PAGE_BYTES`: a reading has 100 bytes or 64 KiB."""
    fitting = limit * PAGE_BYTES // max(1, page_bytes)
    return max(1, min(most, 4 * limit, fitting))


class RecordFeed(Feed):
    """Every new reading to every listener that may see its robot."""

    period_s = 0.15

    def __init__(self) -> None:
        super().__init__("readings")
        self.follower: Follower | None = None
        self._limit = FIRST_ROWS
        self._visible: dict[Caller, frozenset[str]] = {}
        self._visible_until = 0.0

    def forget(self) -> None:
        """Where it was: the next listener says where to begin."""
        self.follower = None
        self._visible = {}
        self._visible_until = 0.0

    def welcome(self, listener: Listener) -> None:
        """Nothing: what is new comes by itself."""

    def begin_at(self, follower: Follower) -> None:
        """Who listens first says from where; the others find the feed running."""
        if self.follower is None:
            self.follower = follower

    def read(self) -> list[tuple[Record, Place]]:
        """New rows since the last read, each with the place after it."""
        if time.monotonic() >= self._visible_until:
            audiences = {listener.audience for listener in list(self.listeners)}
            self._visible = {audience: ids_now(audience) for audience in audiences}
            self._visible_until = time.monotonic() + VISIBLE_FOR_S
        now = timezone.now()
        before = self.follower or from_now(now)
        rows, self.follower = records_since(before, now=now, limit=self._limit)
        self.behind = len(rows) >= self._limit
        places = along(Place.of(before), [row.pk for row in rows], Place.of(self.follower))
        return [(row, place) for row, place in zip(rows, places, strict=True) if row.kind == "reading"]

    def publish(self, found: list[tuple[Record, Place]]) -> None:
        """One encoding a row and one chunk for all who see the same, however many listen."""
        events = [(row.pk, row.robot_id, encoded(row, place)) for row, place in found]
        self._limit = next_limit(max(len(events), self._limit), sum(len(text) for _, _, text in events), most=MOST_NEW)
        shared: dict[tuple[frozenset[str], str | None], bytes] = {}
        for listener in list(self.listeners):
            view = (self._visible.get(listener.audience, listener.visible), listener.robot_id)
            if listener.meanwhile is not None:
                listener.meanwhile += [(number, text) for number, robot, text in events if _wanted(robot, *view)]
                continue
            if listener.sent:
                chunk = _joined(events, *view, skipped=listener.sent)
                self._forget_sent(listener)
            elif view in shared:
                chunk = shared[view]
            else:
                chunk = shared[view] = _joined(events, *view)
            if chunk:
                listener.offer(chunk)

    def _forget_sent(self, listener: Listener) -> None:
        """The first read may have begun before the listener caught up; the second one past all that it was sent has brought the rest."""
        if self.follower is not None and self.follower.high >= max(listener.sent):
            listener.passed += 1
            if listener.passed > 1:
                listener.sent = set()


def _joined(
    events: list[tuple[int, str, bytes]], visible: frozenset[str], robot_id: str | None, *, skipped: Collection[int] = frozenset()
) -> bytes:
    """What one view gets of a tick."""
    return b"".join(text for number, robot, text in events if _wanted(robot, visible, robot_id) and number not in skipped)


def _wanted(robot: str, visible: frozenset[str], robot_id: str | None) -> bool:
    return robot in visible and robot_id in (None, robot)


feed = RecordFeed()
