"""Notices a secret that two agents use: each says that it is there, and their runs take turns, as those of one agent never do."""

from datetime import datetime, timedelta
from typing import Final

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm
from croody.telemetry.kinds import CREDENTIAL_COPIED
from croody.telemetry.models import Presence

#: A word that a broken connection delays can make one turn; two of them are no accident.
TURNS: Final = 2
#: Agents say that they are there every half minute.
_BACK: Final = timedelta(minutes=5)
#: Robots that one run looks at, those first that took turns longest ago.
_MOST: Final = 500


def notice_copies(now: datetime) -> None:
    """Raise the alarm of each robot whose agents took turns since it was raised last."""
    recent = Presence.objects.filter(came_back_at__gt=now - _BACK, returns__gte=TURNS).order_by("came_back_at")
    found = {row.robot_id: row for row in recent[:_MOST]}
    known = Alarm.objects.filter(kind=CREDENTIAL_COPIED.code, robot_id__in=found, resolved_at=None)
    told = dict(known.values_list("robot_id", "last_at"))
    for robot_id, row in found.items():
        if robot_id not in told or (row.came_back_at is not None and told[robot_id] < row.came_back_at):
            raise_alarm(robot_id, CREDENTIAL_COPIED, "", CREDENTIAL_COPIED.severity, {"turns": row.returns}, now)
