"""The readings' own stream: new rows of `telemetry_record`, once a process. Knows the table, never HTTP."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings
from django.db import connections

from croody.stream import sse
from croody.stream.audience import Audience, robots_of
from croody.stream.hub import Feed, Listener
from croody.telemetry.models import Record

#: Rows a read takes at most; more waits for the next one.
PAGE: Final = 1000
#: PostgreSQL gives ids before the commit: a row may appear behind rows with greater ids. So many ids are looked at again.
OVERLAP: Final = 2000
#: A robot that is new, or shared no more, counts after so long, in seconds.
VISIBLE_FOR_S: Final = 2.0
FIELDS: Final = ("id", "robot_id", "stream", "seq", "at", "historical", "data", "lat", "lng", "alt", "environment", "status")


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the HTTP API shows it, and its place in its stream."""
    position = {"lat": row["lat"], "lng": row["lng"]} if row["lat"] is not None else None
    if position is not None and row["alt"] is not None:
        position["alt"] = row["alt"]
    return {
        "id": row["id"],
        "ts": row["at"].isoformat(),
        "robot_id": row["robot_id"],
        "data": row["data"],
        "position": position,
        "environment": row["environment"],
        "status": row["status"],
        "stream": row["stream"],
        "seq": row["seq"],
        "historical": row["historical"],
    }


def encoded(row: dict[str, Any]) -> bytes:
    """One `reading` event."""
    return sse.event("reading", shown(row), event_id=str(row["id"]))


def newest_id() -> int:
    """Greatest id there is, 0 for an empty table."""
    return Record.objects.order_by("-id").values_list("id", flat=True).first() or 0


def page_after(number: int, robot_ids: Iterable[str], limit: int) -> list[dict[str, Any]]:
    """Readings with greater ids of these robots, oldest first."""
    rows = Record.objects.filter(id__gt=number, kind="reading", robot_id__in=list(robot_ids))
    return list(rows.order_by("id").values(*FIELDS)[:limit])


class RecordFeed(Feed):
    """Every new reading to every listener that may see its robot."""

    period_s = 0.15

    def __init__(self) -> None:
        super().__init__("readings")
        self.cursor: int | None = None
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._visible: dict[Audience, frozenset[str]] = {}
        self._visible_until = 0.0

    def forget(self) -> None:
        """Where it was: the next listener begins at the newest row."""
        self.cursor = None
        self._seen.clear()
        self._visible = {}
        self._visible_until = 0.0

    def welcome(self, listener: Listener) -> None:
        """Nothing: what is new comes by itself."""

    def begin_at(self, number: int) -> None:
        """Whoever reads first says where: everything stored after `number` will be sent."""
        if self.cursor is None:
            self.cursor = number

    def read(self) -> list[dict[str, Any]]:
        """New rows since the last read."""
        if time.monotonic() >= self._visible_until:
            audiences = {listener.audience for listener in list(self.listeners)}
            self._visible = {audience: robots_of(audience) for audience in audiences}
            self._visible_until = time.monotonic() + VISIBLE_FOR_S
        if self.cursor is None:
            self.begin_at(newest_id())
        assert self.cursor is not None
        overlap = OVERLAP if connections[settings.TELEMETRY_DB].vendor == "postgresql" else 0
        ids = Record.objects.filter(id__gt=self.cursor - overlap, kind="reading").order_by("id").values_list("id", flat=True)
        fresh = [number for number in ids[: PAGE + overlap] if number not in self._seen]
        if not self._seen and overlap:
            self._remember(fresh)
            fresh = [number for number in fresh if number > self.cursor]
        if not fresh:
            return []
        rows = list(Record.objects.filter(id__in=fresh, id__gte=fresh[0]).order_by("id").values(*FIELDS))
        self._remember(fresh)
        self.cursor = max(self.cursor, fresh[-1])
        return rows

    def publish(self, found: list[dict[str, Any]]) -> None:
        """One encoding a row, however many listen."""
        for row in found:
            chunk = encoded(row)
            robot_id, number = row["robot_id"], row["id"]
            for listener in list(self.listeners):
                if listener.robot_id not in (None, robot_id):
                    continue
                if robot_id in self._visible.get(listener.audience, listener.visible):
                    listener.offer(chunk, number)

    def _remember(self, ids: list[int]) -> None:
        self._seen.update(dict.fromkeys(ids))
        while len(self._seen) > 4 * OVERLAP:
            self._seen.popitem(last=False)


feed = RecordFeed()
