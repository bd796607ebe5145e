"""A metric over time in buckets: from the rows while they are finer than a minute, else from the roll-ups."""

from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

from django.conf import settings
from django.db import connections

MINUTE_S: Final = 60
HOUR_S: Final = 3600

_RAW_POSTGRES: Final = """
SELECT floor(extract(epoch FROM r.at) / %(step)s)::bigint * %(step)s AS bucket, avg(v.n), min(v.n), max(v.n)
FROM telemetry_record r
CROSS JOIN LATERAL (SELECT r.data -> %(metric)s AS j) AS m
CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(m.j) = 'number' THEN m.j::double precision END AS n) AS v
WHERE r.robot_id = %(robot)s AND r.at >= %(start)s AND r.at < %(end)s AND r.kind = 'reading' AND v.n BETWEEN -1e150 AND 1e150
GROUP BY bucket ORDER BY bucket
"""
_RAW_SQLITE: Final = """
SELECT CAST(strftime('%%s', r.at) AS integer) / %(step)s * %(step)s AS bucket, avg(e.value), min(e.value), max(e.value)
FROM telemetry_record r, json_each(r.data) e
WHERE r.robot_id = %(robot)s AND r.at >= %(start)s AND r.at < %(end)s AND r.kind = 'reading'
    AND e.key = %(metric)s AND e.type IN ('integer', 'real') AND e.value BETWEEN -1e150 AND 1e150
GROUP BY bucket ORDER BY bucket
"""
_ROLLED_POSTGRES: Final = """
SELECT floor(extract(epoch FROM at) / %(step)s)::bigint * %(step)s AS bucket, sum(mean * count) / sum(count), min(low), max(high)
FROM telemetry_rollup
WHERE robot_id = %(robot)s AND metric = %(metric)s AND step_s = %(source)s AND at >= %(start)s AND at < %(end)s
GROUP BY bucket ORDER BY bucket
"""
_ROLLED_SQLITE: Final = _ROLLED_POSTGRES.replace(
    "floor(extract(epoch FROM at) / %(step)s)::bigint", "CAST(strftime('%%s', at) AS integer) / %(step)s"
)


def step_of(span_s: float, buckets: int) -> int:
    """The bucket length in seconds: at most `buckets` of them, and such that whole minutes or hours fill one."""
    step = max(1, ceil(span_s / buckets))
    unit = 1 if step < MINUTE_S else MINUTE_S if step < HOUR_S else HOUR_S
    return ceil(step / unit) * unit


def chart(robot_id: str, metric: str, start: datetime, end: datetime, buckets: int) -> dict[str, Any]:
    """Aligned lists from `start` to `end` (both in UTC), one value a bucket, None where nothing came.

    A range whose single readings are gone comes from one-minute roll-ups, however short it is.
    """
    step = step_of((end - start).total_seconds(), buckets)
    found = _find(robot_id, metric, start, end, step)
    if not found and step < MINUTE_S:
        step = MINUTE_S
        found = _find(robot_id, metric, start, end, step)
    first = int(start.timestamp() // step * step)
    at = list(range(first, ceil(end.timestamp()), step))
    return {
        "robot_id": robot_id,
        "metric": metric,
        "step_s": step,
        "at": at,
        "mean": [found[bucket][0] if bucket in found else None for bucket in at],
        "low": [found[bucket][1] if bucket in found else None for bucket in at],
        "high": [found[bucket][2] if bucket in found else None for bucket in at],
    }


def _find(robot_id: str, metric: str, start: datetime, end: datetime, step: int) -> dict[int, tuple[float, float, float]]:
    connection = connections[settings.TELEMETRY_DB]
    postgres = connection.vendor == "postgresql"
    # Whole buckets: the first one shows all that is in it, also what lies a moment before `start`.
    begin = datetime.fromtimestamp(max(start.timestamp() // step * step, -62135596800), UTC)
    parameters: dict[str, Any] = {
        "robot": robot_id,
        "metric": metric,
        "step": step,
        "source": HOUR_S if step >= HOUR_S else MINUTE_S,
        "start": connection.ops.adapt_datetimefield_value(begin),
        "end": connection.ops.adapt_datetimefield_value(end),
    }
    raw, rolled = (_RAW_POSTGRES, _ROLLED_POSTGRES) if postgres else (_RAW_SQLITE, _ROLLED_SQLITE)
    with connection.cursor() as cursor:
        cursor.execute(raw if step < MINUTE_S else rolled, parameters)
        return {int(bucket): (mean, low, high) for bucket, mean, low, high in cursor.fetchall()}
