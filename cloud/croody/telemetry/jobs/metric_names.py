"""What of a robot is rolled up: so many names of metrics, so many rows a day. What is beyond stays in its readings, and is said."""

from collections import OrderedDict
from datetime import datetime
from typing import Final

from django.conf import settings

from croody.alarms.quota import QUOTA
from croody.alarms.services import raise_alarm
from croody.telemetry.ingest.usage import Bucket
from croody.telemetry.jobs.aside import set_aside
from croody.telemetry.read.sql import ask

_JOB: Final = "roll_up"
_DAY_S: Final = 86_400.0
_REMEMBERED: Final = 10_000
#: From name to name, however many rows each has.
_NAMES: Final = """
WITH RECURSIVE t (metric) AS (
    SELECT (SELECT min(metric) FROM telemetry_rollup WHERE robot_id = %s)
    UNION ALL
    SELECT (SELECT min(r.metric) FROM telemetry_rollup r WHERE r.robot_id = %s AND r.metric > t.metric) FROM t WHERE t.metric IS NOT NULL
)
SELECT metric FROM t WHERE metric IS NOT NULL LIMIT %s
"""


class MetricNames:
    """Of all robots, as far as they were asked for: the names that are rolled up, and how many rows came of late."""

    def __init__(self) -> None:
        quotas = settings.ENV.quotas
        self._most = quotas.metrics
        self._rows = Bucket(quotas.rollups / _DAY_S, quotas.rollups)
        self._names: OrderedDict[str, set[str]] = OrderedDict()
        self._beyond: set[str] = set()

    def may(self, robot_id: str, now: datetime) -> bool:
        """Say whether anything of this robot is rolled up now."""
        if self._rows.left(robot_id, now.timestamp()) > 0:
            return True
        self._beyond.add(robot_id)
        return False

    def fits(self, robot_id: str, metric: str) -> bool:
        """Say whether this metric is rolled up. The first names are, for as long as there are roll-ups of them."""
        names = self._names.get(robot_id)
        if names is None:
            names = self._names[robot_id] = {str(row[0]) for row in ask(_NAMES, [robot_id, robot_id, self._most])}
            if len(self._names) > _REMEMBERED:
                self._names.popitem(last=False)
        if metric in names:
            return True
        if len(names) >= self._most:
            self._beyond.add(robot_id)
            return False
        names.add(metric)
        return True

    def took(self, robot_id: str, now: datetime) -> None:
        """Count one row."""
        self._rows.take(robot_id, 1, now.timestamp())

    def tell(self, now: datetime) -> None:
        """Say of which robots something was left out since the last time."""
        text = (
            f"more than {self._most} metrics, or than {settings.ENV.quotas.rollups} roll-ups a day: their readings are stored as all others"
        )
        for robot_id in sorted(self._beyond):
            set_aside(_JOB, robot_id, "metrics beyond its quota", text, now)
            raise_alarm(robot_id, QUOTA, "", QUOTA.severity, {"what": "metrics"}, now)
        self._beyond.clear()
