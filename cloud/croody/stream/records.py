"""The readings' own stream: what is new in `telemetry_record`, once a process. Knows the table, never HTTP."""

import time
from collections.abc import Iterable
from typing import Any, Final

from django.utils import timezone

from croody.stream import sse
from croody.stream.audience import Audience, robots_of
from croody.stream.hub import Feed, Listener
from croody.telemetry.follow import Follower, from_now, records_since
from croody.telemetry.models import Record
from croody.telemetry.rows import api_row

#: A robot that is new, or shared no more, counts after so long, in seconds.
VISIBLE_FOR_S: Final = 2.0


def shown(row: Record) -> dict[str, Any]:
    """A row as the HTTP API shows it, and its place in its stream."""
    place = (row.lat, row.lng, row.alt)
    known = api_row(row.pk, row.robot_id, row.at, row.ts, row.data, place, row.environment, row.status)
    return {**known, "stream": row.stream, "seq": row.seq, "historical": row.historical}


def encoded(row: Record) -> bytes:
    """One `reading` event."""
    return sse.event("reading", shown(row), event_id=str(row.pk))


def newest_id() -> int:
    """Greatest id there is, 0 for an empty table."""
    return Record.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def page_after(number: int, robot_ids: Iterable[str], limit: int) -> list[Record]:
    """Readings with greater ids of these robots, oldest first."""
    return list(Record.objects.filter(pk__gt=number, kind="reading", robot_id__in=list(robot_ids)).order_by("pk")[:limit])


class RecordFeed(Feed):
    """Every new reading to every listener that may see its robot."""

    period_s = 0.15

    def __init__(self) -> None:
        super().__init__("readings")
        self.follower: Follower | None = None
        self._visible: dict[Audience, frozenset[str]] = {}
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

    def read(self) -> list[Record]:
        """New rows since the last read."""
        if time.monotonic() >= self._visible_until:
            audiences = {listener.audience for listener in list(self.listeners)}
            self._visible = {audience: robots_of(audience) for audience in audiences}
            self._visible_until = time.monotonic() + VISIBLE_FOR_S
        now = timezone.now()
        if self.follower is None:
            self.follower = from_now(now)
        rows, self.follower = records_since(self.follower, now=now)
        return [row for row in rows if row.kind == "reading"]

    def publish(self, found: list[Record]) -> None:
        """One encoding a row, however many listen."""
        for row in found:
            chunk = encoded(row)
            for listener in list(self.listeners):
                if listener.robot_id not in (None, row.robot_id):
                    continue
                if row.robot_id in self._visible.get(listener.audience, listener.visible):
                    listener.offer(chunk, row.pk)


feed = RecordFeed()
