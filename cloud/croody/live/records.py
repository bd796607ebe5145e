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
    """Readings for one listener who catches up, each with the place after it; then the place after all, and whether there may be more."""

    rows: list[tuple[Record, Place]]
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
    after = place.after([row.pk for row in rows], table, new[-1].pk if full else table.high)
    return Page(list(zip(rows, along(place, [row.pk for row in rows], after), strict=True)), after, newest, full)


class RecordFeed(Feed):
    """Every new reading to every listener that may see its robot."""

    period_s = 0.15

    def __init__(self) -> None:
        super().__init__("readings")
        self.follower: Follower | None = None
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
        rows, self.follower = records_since(before, now=now)
        places = along(Place.of(before), [row.pk for row in rows], Place.of(self.follower))
        return [(row, place) for row, place in zip(rows, places, strict=True) if row.kind == "reading"]

    def publish(self, found: list[tuple[Record, Place]]) -> None:
        """One encoding a row, however many listen."""
        for row, place in found:
            chunk = encoded(row, place)
            for listener in list(self.listeners):
                if listener.robot_id not in (None, row.robot_id):
                    continue
                if row.robot_id in self._visible.get(listener.audience, listener.visible):
                    listener.offer(chunk, row.pk)


feed = RecordFeed()
