"""What readings come to by robot, minute and metric: the database brings them, and they are summed here.

To take JSON apart row by row, and to make a float of each of its numbers, took either database several times as long. At most
`_AT_ONCE` rows are here at a time, however many a minute holds.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import fsum
from typing import Any, Final

import msgspec
import psycopg
from django.db import connections, transaction

from croody.telemetry.store.sqlite import write_moment

#: Beyond it a sum of squares overflows; such numbers stay in the rows and out of the roll-ups.
MOST: Final = 1e150
_AT_ONCE: Final = 5000
# Bucket by bucket through the index, whatever the planner thinks of how many there are.
_POSTGRES: Final = """
SELECT k.number, m.data FROM unnest(%s::text[], %s::timestamptz[]) WITH ORDINALITY AS k (robot_id, at, number) CROSS JOIN LATERAL (
    SELECT r.data::text FROM telemetry_record r
    WHERE r.robot_id = k.robot_id AND r.at >= k.at AND r.at < k.at + interval '1 minute' AND r.kind = 'reading' OFFSET 0
) AS m
"""
_SQLITE: Final = "SELECT data FROM telemetry_record WHERE robot_id = %s AND at >= %s AND at < %s AND kind = 'reading'"
#: Number of the bucket, data.
_Read = tuple[int, str]
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(slots=True)
class Sums:
    """One metric of one minute. `values`: those that are not in the rest yet."""

    values: list[float] = field(default_factory=list)
    count: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def fold(self) -> None:
        """Take `values` in."""
        low, high = min(self.values), max(self.values)
        if low < -MOST or high > MOST:
            self.values = [value for value in self.values if -MOST <= value <= MOST]
            if not self.values:
                return
            low, high = min(self.values), max(self.values)
        self.low, self.high = (low, high) if not self.count else (min(low, self.low), max(high, self.high))
        self.count += len(self.values)
        self.total += fsum(self.values)
        self.values = []


def of_minutes(buckets: Sequence[tuple[str, datetime]], alias: str) -> list[tuple[Any, ...]]:
    """(robot_id, metric, 60, at, count, mean, low, high) of every metric with a number, of these (robot, minute)."""
    sums: dict[int, dict[str, Sums]] = defaultdict(lambda: defaultdict(Sums))
    postgres = connections[alias].vendor == "postgresql"
    for rows in _of_postgres(buckets, alias) if postgres else _of_sqlite(buckets, alias):
        _take(rows, sums)
    return [
        (robot_id, metric, 60, at if postgres else write_moment(at), one.count, one.total / one.count, float(one.low), float(one.high))
        for (robot_id, at), metrics in ((buckets[number - 1], metrics) for number, metrics in sums.items())
        for metric, one in metrics.items()
        if one.count
    ]


def _of_postgres(buckets: Sequence[tuple[str, datetime]], alias: str) -> Iterator[Sequence[_Read]]:
    connection = connections[alias]
    columns = [[bucket[part] for bucket in buckets] for part in range(2)]
    with transaction.atomic(using=alias), connection.wrap_database_errors, psycopg.ServerCursor(connection.connection, "minutes") as cursor:
        cursor.execute(_POSTGRES, columns)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield rows


def _of_sqlite(buckets: Sequence[tuple[str, datetime]], alias: str) -> Iterator[Sequence[_Read]]:
    with connections[alias].cursor() as cursor:
        for number, (robot_id, at) in enumerate(buckets, start=1):
            cursor.execute(_SQLITE, [robot_id, write_moment(at), write_moment(at + timedelta(minutes=1))])
            while rows := cursor.fetchmany(_AT_ONCE):
                yield [(number, text) for (text,) in rows]


def _take(rows: Sequence[_Read], sums: dict[int, dict[str, Sums]]) -> None:
    touched: dict[int, Sums] = {}
    for number, text in rows:
        metrics = sums[number]
        for name, value in _numbers(text).items():
            # A switch is no number, although Python counts it as one.
            if type(value) is float or type(value) is int:
                one = metrics[name]
                if not one.values:
                    touched[id(one)] = one
                one.values.append(value)
    for one in touched.values():
        one.fold()


def _numbers(text: str) -> dict[str, Any]:
    try:
        return _decode(text)
    except msgspec.DecodeError:
        # An exponent beyond every float: Python's own reader makes infinity of it, and that is left out.
        found: dict[str, Any] = json.loads(text)
        return found
