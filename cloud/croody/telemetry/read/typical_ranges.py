"""Between which values each metric of a robot was lately, from its hourly roll-ups. Bounded by the names a robot may have."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from croody.telemetry.models import Rollup
from croody.telemetry.read.series import HOUR_S

#: How far back, and how many names at most.
REACH: Final = timedelta(hours=24)
MOST: Final = 256


@dataclass(slots=True)
class Range:
    """The least and the greatest value, and how many readings had the metric."""

    low: float
    high: float
    count: int


def usual(robot_id: str, metrics: list[str], *, now: datetime) -> dict[str, Range]:
    """Metric -> its range of the last 24 hours; metrics without any are not in it."""
    start = (now - REACH).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    rows = Rollup.objects.filter(robot_id=robot_id, metric__in=metrics[:MOST], step_s=HOUR_S, at__gte=start)
    found: dict[str, Range] = {}
    for metric, low, high, count in rows.values_list("metric", "low", "high", "count"):
        known = found.setdefault(metric, Range(low, high, 0))
        known.low, known.high, known.count = min(known.low, low), max(known.high, high), known.count + count
    return found
