"""Follows `telemetry_record` by id without missing what commits late. Arithmetic, and one query each way.

PostgreSQL hands out ids before the commit, so a row may appear below rows that were seen already. A follower keeps the
holes it saw below its highest id and looks into exactly these again, until they are filled or so old that no transaction
can fill them any more (a hole that stays is an insert that was rolled back). SQLite has one writer, and no holes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from django.conf import settings
from django.db import connections

from croody.telemetry.models import Record

#: No ingest lives longer than this, in seconds: gunicorn ends a request that takes a minute.
HOLE_S: Final = 90.0
#: More holes than this are not kept, the oldest go first.
MOST_HOLES: Final = 10_000
#: The ids beside each hole among the newest ids, in one statement, so that all of it is of one moment; and last, twice, the greatest.
_NEWEST: Final = """
WITH newest AS (SELECT id FROM telemetry_record ORDER BY id DESC LIMIT %s),
beside AS (SELECT lag(id) OVER (ORDER BY id) AS before, id AS after FROM newest)
SELECT before, after FROM (
    SELECT before, after FROM beside WHERE after > before + 1
    UNION ALL
    SELECT max(after), max(after) FROM beside HAVING count(*) > 0
) AS found ORDER BY after, before
"""
#: SQLite has one writer: nothing commits late.
_GREATEST: Final = "SELECT id, id FROM telemetry_record ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Follower:
    """`high`: the greatest id seen. `holes`: ids below it that were not there yet -> when that was noticed, in unix seconds."""

    high: int = 0
    holes: tuple[tuple[int, float], ...] = ()

    def after(self, seen: Iterable[int], now_s: float) -> Self:
        """Where the follower stands after it saw the rows with these ids."""
        ids = sorted(set(seen))
        there = set(ids)
        holes = [(hole, since) for hole, since in self.holes if hole not in there and now_s - since <= HOLE_S]
        high = self.high
        for record_id in ids:
            if record_id > high:
                # A jump this wide is no race between transactions; a new database starts from nothing.
                first = max(high + 1, record_id - MOST_HOLES) if high else record_id
                holes.extend((hole, now_s) for hole in range(first, record_id))
                high = record_id
        return type(self)(high, tuple(holes[-MOST_HOLES:]))

    def to_json(self) -> dict[str, Any]:
        """For `Cursor.value`."""
        return {"high": self.high, "holes": [list(hole) for hole in self.holes]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`; an empty value is the beginning."""
        return cls(int(value.get("high", 0)), tuple((int(hole), float(since)) for hole, since in value.get("holes", ())))


def from_now(now: datetime) -> Follower:
    """A follower that sees what commits from now on, also below the greatest id of now."""
    connection = connections[settings.TELEMETRY_DB]
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWEST if connection.vendor == "postgresql" else _GREATEST, [MOST_HOLES] if connection.vendor == "postgresql" else []
        )
        rows: list[tuple[int, int]] = cursor.fetchall()
    if not rows:
        return Follower()
    holes = [(hole, now.timestamp()) for before, after in rows[:-1] for hole in range(max(before + 1, after - MOST_HOLES), after)]
    return Follower(rows[-1][1], tuple(holes[-MOST_HOLES:]))


def records_since(follower: Follower, *, now: datetime, limit: int = 1000) -> tuple[list[Record], Follower]:
    """At most `limit` new records by id, and those that filled holes; and where the follower stands now.

    None is skipped and none comes twice, however late its transaction commits.
    """
    filled = list(Record.objects.filter(pk__in=[hole for hole, _ in follower.holes])) if follower.holes else []
    new = list(Record.objects.filter(pk__gt=follower.high).order_by("pk")[:limit])
    rows = sorted(filled + new, key=lambda row: row.pk)
    return rows, follower.after((row.pk for row in rows), now.timestamp())


def columns_since(follower: Follower, columns: tuple[str, ...], *, now: datetime, limit: int) -> tuple[list[tuple[Any, ...]], Follower]:
    """As `records_since`, but only some columns, the id first: for jobs that read every row."""
    filled = list(Record.objects.filter(pk__in=[hole for hole, _ in follower.holes]).values_list("pk", *columns)) if follower.holes else []
    rows = [*filled, *Record.objects.filter(pk__gt=follower.high).order_by("pk").values_list("pk", *columns)[:limit]]
    return rows, follower.after((row[0] for row in rows), now.timestamp())
