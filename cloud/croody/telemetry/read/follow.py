"""Follows `telemetry_record` by id without missing what commits late. Arithmetic, and one query each way.

PostgreSQL hands out ids before the commit, so a row may appear below rows that were seen already. A follower keeps the
holes it saw below its highest id and looks into exactly these again, until they are filled or so old that no transaction
can fill them any more (a hole that stays is an insert that was rolled back). SQLite has one writer, and no holes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from django.conf import settings
from django.db import connections

from croody.telemetry.models import Record
from croody_contract import ranges
from croody_contract.ranges import Ranges

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
# Rows that have the same in all columns, and ids that follow on one another, are one: thousands of readings are a few robots and minutes.
_ALIKE: Final = """
WITH page AS (SELECT id, {columns} FROM telemetry_record WHERE {where} ORDER BY id {limit}),
numbered AS (SELECT page.*, id - row_number() OVER (ORDER BY id) AS run FROM page)
SELECT min(id), max(id), count(*), {names} FROM numbered GROUP BY run, {names} ORDER BY min(id)
"""


@dataclass(frozen=True, slots=True)
class Follower:
    """`high`: the greatest id seen. `holes`: ids below it that were not there yet -> when that was noticed, in unix seconds."""

    high: int = 0
    holes: tuple[tuple[int, float], ...] = ()

    def after(self, seen: Iterable[int], now_s: float) -> Self:
        """Where the follower stands after it saw the rows with these ids."""
        return self.after_all(ranges.of(seen), now_s)

    def after_all(self, seen: Ranges, now_s: float) -> Self:
        """The same for ids in ranges."""
        holes = [(hole, since) for hole, since in self.holes if not ranges.contains(seen, hole) and now_s - since <= HOLE_S]
        high = self.high
        for first, last in seen:
            if first > high:
                # A jump this wide is no race between transactions; a new database starts from nothing.
                begin = max(high + 1, first - MOST_HOLES) if high else first
                holes.extend((hole, now_s) for hole in range(begin, first))
            high = max(high, last)
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


def alike_since(
    follower: Follower, columns: Mapping[str, str], parameters: Sequence[str] = (), *, now: datetime, limit: int
) -> tuple[list[list[Any]], Follower, bool]:
    """What is new in the rows that `records_since` would give, for jobs that look at every row.

    Args:
        follower: where the job stands.
        columns: name -> SQL of one row; with `parameters` in their order.
        now: noted for new holes.
        limit: rows to look at beside those that filled holes.

    Returns:
        What the columns say, each different set once or a few times; where the follower stands now; whether there may be more.
    """
    named, names = ", ".join(f"{sql} AS {name}" for name, sql in columns.items()), ", ".join(columns)
    filled = f"id IN ({', '.join(['%s'] * len(follower.holes))})"
    with connections[settings.TELEMETRY_DB].cursor() as cursor:
        found: list[tuple[Any, ...]] = []
        if follower.holes:
            cursor.execute(_ALIKE.format(columns=named, where=filled, limit="", names=names), [*parameters, *dict(follower.holes)])
            found = cursor.fetchall()
        statement = _ALIKE.format(columns=named, where="id > %s", limit="LIMIT %s", names=names)
        cursor.execute(statement, [*parameters, follower.high, limit])
        new = cursor.fetchall()
    every = [*found, *new]
    after = follower.after_all(ranges.normalise((first, last) for first, last, *_ in every), now.timestamp())
    return [said for _, _, _, *said in every], after, sum(count for _, _, count, *_ in new) == limit


def of_kind_since(follower: Follower, kind: str, *, now: datetime, limit: int) -> tuple[list[int], Follower, bool]:
    """Ids of the new records of one kind, in order; the rest as `alike_since`."""
    found, after, more = alike_since(follower, {"told": "CASE WHEN kind = %s THEN id END"}, [kind], now=now, limit=limit)
    return sorted(told for (told,) in found if told is not None), after, more
