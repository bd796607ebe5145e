"""Who looks at which robot now: a row a person, robot and process, told again every ten seconds and gone after thirty."""

import secrets
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from croody.console.models import Looking

#: A row counts for so long, and this process tells its own by this name.
COUNTS: Final = timedelta(seconds=30)
_PROCESS: Final = secrets.token_hex(8)
#: People at one robot that are named at most.
MOST: Final = 50


class Person(NamedTuple):
    """Somebody who looks."""

    user_id: int
    name: str


def tell(here: Collection[tuple[int | None, str]], now: datetime) -> dict[str, list[Person]]:
    """Write down who looks in this process, let go of what is old, and give who looks at these robots in any process."""
    rows = [Looking(user_id=user_id, robot_id=robot_id, process=_PROCESS, at=now) for user_id, robot_id in here if user_id is not None]
    Looking.objects.bulk_create(rows, update_conflicts=True, unique_fields=["user", "robot_id", "process"], update_fields=["at"])
    Looking.objects.filter(at__lt=now - COUNTS).delete()
    return at({robot_id for _, robot_id in here}, now)


def at(robot_ids: Collection[str], now: datetime) -> dict[str, list[Person]]:
    """Who looks at these robots, by name."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    fresh = Looking.objects.filter(robot_id__in=list(robot_ids), at__gte=now - COUNTS).order_by("user__username")
    for robot_id, user_id, name in fresh.values_list("robot_id", "user_id", "user__username")[: MOST * max(1, len(robot_ids))]:
        found[robot_id][user_id] = name
    return {robot_id: [Person(user_id, name) for user_id, name in people.items()] for robot_id, people in found.items()}
