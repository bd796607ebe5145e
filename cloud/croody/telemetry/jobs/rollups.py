"""One-minute and one-hour roll-ups of every numeric metric. Whatever comes late has its buckets computed again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connections, transaction

from croody.telemetry.models import Cursor
from croody.telemetry.read.follow import Follower, columns_since

_NAME: Final = "roll_up"
_PAGE: Final = 5000
_MOST_PAGES: Final = 100
#: (robot_id, start)
Bucket = tuple[str, datetime]
_UPSERT: Final = """
ON CONFLICT (robot_id, metric, step_s, at)
DO UPDATE SET count = excluded.count, mean = excluded.mean, low = excluded.low, high = excluded.high
"""
_INSERT: Final = "INSERT INTO telemetry_rollup (robot_id, metric, step_s, at, count, mean, low, high)"

# Beyond 1e150 a sum of squares overflows; such numbers stay in the rows and out of the roll-ups.
_MINUTES_POSTGRES: Final = f"""
{_INSERT}
SELECT k.robot_id, e.key, 60, k.at, count(*), avg(v.n), min(v.n), max(v.n)
FROM unnest(%s::text[], %s::timestamptz[]) AS k (robot_id, at)
JOIN telemetry_record r ON r.robot_id = k.robot_id AND r.at >= k.at AND r.at < k.at + interval '1 minute' AND r.kind = 'reading'
CROSS JOIN LATERAL jsonb_each(r.data) AS e
CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(e.value) = 'number' THEN e.value::double precision END AS n) AS v
WHERE v.n BETWEEN -1e150 AND 1e150
GROUP BY k.robot_id, e.key, k.at
{_UPSERT}
"""
_MINUTE_SQLITE: Final = f"""
{_INSERT}
SELECT %s, e.key, 60, %s, count(*), avg(e.value), min(e.value), max(e.value)
FROM telemetry_record r, json_each(r.data) e
WHERE r.robot_id = %s AND r.at >= %s AND r.at < %s AND r.kind = 'reading'
    AND e.type IN ('integer', 'real') AND e.value BETWEEN -1e150 AND 1e150
GROUP BY e.key
{_UPSERT}
"""
_HOUR: Final = f"""
{_INSERT}
SELECT robot_id, metric, 3600, %s, sum(count), sum(mean * count) / sum(count), min(low), max(high)
FROM telemetry_rollup WHERE step_s = 60 AND robot_id = %s AND at >= %s AND at < %s
GROUP BY robot_id, metric
{_UPSERT}
"""


def roll_up(now: datetime) -> None:
    """Compute again every bucket into which something new came since the last run."""
    alias = settings.TELEMETRY_DB
    for _ in range(_MOST_PAGES):
        row = Cursor.objects.filter(pk=_NAME).first()
        follower = Follower.from_json(row.value if row is not None else {})
        found, after = columns_since(follower, ("robot_id", "at", "kind"), now=now, limit=_PAGE)
        minutes = sorted({(robot_id, at.replace(second=0, microsecond=0)) for _, robot_id, at, kind in found if kind == "reading"})
        if after != follower:
            with transaction.atomic(using=alias):
                _roll(minutes, alias)
                Cursor.objects.update_or_create(pk=_NAME, defaults={"value": after.to_json()})
        if len(found) < _PAGE:
            return


def _roll(minutes: Sequence[Bucket], alias: str) -> None:
    connection = connections[alias]
    moment = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            if minutes:
                cursor.execute(_MINUTES_POSTGRES, [[robot_id for robot_id, _ in minutes], [at for _, at in minutes]])
        else:
            cursor.executemany(_MINUTE_SQLITE, [_minute(robot_id, at, moment) for robot_id, at in minutes])
        hours = {(robot_id, at.replace(minute=0)) for robot_id, at in minutes}
        cursor.executemany(_HOUR, [_hour(robot_id, at, moment) for robot_id, at in sorted(hours)])


def _minute(robot_id: str, at: datetime, moment: Any) -> Sequence[Any]:
    start, end = moment(at), moment(at + timedelta(minutes=1))
    return robot_id, start, robot_id, start, end


def _hour(robot_id: str, at: datetime, moment: Any) -> Sequence[Any]:
    start, end = moment(at), moment(at + timedelta(hours=1))
    return start, robot_id, start, end
