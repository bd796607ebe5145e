"""An alarm as both HTTP APIs answer it: its shape, and how a row becomes one. Knows no request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from ninja import Schema

from croody.accounts.caller import Caller
from croody.alarms import queries
from croody.alarms.models import Alarm
from croody.alarms.storms import STORM

#: Robots of one alarm that are named; all are counted.
_NAMED: Final = 100
_FIELDS: Final = ("id", "robot_id", "kind", "key", "severity", "detail", "opened_at", "last_at", "resolved_at", "count")


class AlarmRow(Schema):
    """One cause at one robot, or at many robots in one minute. `resolved_at` is null while it holds; `count` is how often it was noticed.

    `robot_id` is empty for many robots. `robots` are those that it still concerns, or did when it ended, the first hundred by name;
    `robot_count` is how many. `part_of` is the alarm of many robots that one of a single robot belongs to.
    """

    id: int
    robot_id: str
    robots: list[str]
    robot_count: int
    part_of: int | None
    kind: str
    key: str
    severity: Literal["low", "medium", "high", "critical"]
    detail: dict[str, Any]
    opened_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    count: int


def rows(found: Sequence[Alarm], caller: Caller) -> list[dict[str, Any]]:
    """These alarms, of many robots with those that the caller knows."""
    robots = queries.robots_of(found, caller, _NAMED)
    return [_row(alarm, robots[alarm.pk]) for alarm in found]


def _row(alarm: Alarm, robots: queries.Robots) -> dict[str, Any]:
    row = {name: getattr(alarm, name) for name in _FIELDS}
    if alarm.kind == STORM.code:
        row |= {"kind": alarm.detail.get("kind", alarm.kind), "key": "", "detail": {}}
    return row | {"robots": list(robots.names), "robot_count": robots.how_many, "part_of": alarm.part_of_id}
