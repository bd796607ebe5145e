"""How many streams each robot may still open today, as every process of the telemetry API sees it: one row a robot.

Inside the caller's transaction. The row is read when a stream is new and written when it is made, so that readings cost it nothing.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from croody.telemetry.models import Usage

DAY: Final = timedelta(days=1)


def streams_left(robot_ids: Collection[str], most: int, now: datetime, alias: str) -> dict[str, int]:
    """How many streams each may open now, of `most` a day. Takes no lock: who opens some at the same moment is counted after."""
    found = Usage.objects.using(alias).filter(robot_id__in=robot_ids)
    left = {row.robot_id: max(0, int(most - _used(row, most, now))) for row in found}
    return {robot_id: left.get(robot_id, most) for robot_id in robot_ids}


def note_opened(opened: Mapping[str, int], most: int, now: datetime, alias: str) -> None:
    """Count streams that were opened. Locks the rows in the order of robots."""
    for robot_id, count in sorted(opened.items()):
        row, _ = Usage.objects.using(alias).select_for_update().get_or_create(robot_id=robot_id, defaults={"at": now})
        # A clock that went back gives nothing back.
        row.streams, row.at = _used(row, most, now) + count, max(row.at, now)
        row.save(using=alias)


def _used(row: Usage, most: int, now: datetime) -> float:
    return max(0.0, row.streams - max(timedelta(), now - row.at) / DAY * most)
