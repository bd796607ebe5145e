"""One metric of one robot over time, as the telemetry API has answered it from the start: `series` with one line."""

from datetime import datetime
from typing import Any

from croody.telemetry.read.series import series


def chart(robot_id: str, metric: str, start: datetime, end: datetime, buckets: int, *, now: datetime) -> dict[str, Any]:
    """Aligned lists from `start` to `end` (both in UTC), one value a bucket, None where nothing came.

    A range whose single readings are gone comes from one-minute roll-ups, however short it is.
    """
    found = series([robot_id], [metric], start, end, now=now, buckets=buckets)
    line = found.lines[0]
    return {
        "robot_id": robot_id,
        "metric": metric,
        "step_s": found.step_s,
        "at": found.at,
        "mean": line.mean,
        "low": line.low,
        "high": line.high,
    }
