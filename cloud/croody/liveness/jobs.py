"""By the clock: alarms for robots that fall silent."""

from datetime import datetime

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet.models import Robot
from croody.liveness.judge import State, deaf, state
from croody.liveness.kinds import OFFLINE
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of


def judge_liveness(now: datetime) -> None:
    """Open an alarm for each robot that fell silent, close it for each that is back.

    A robot never seen raises none, and nothing is said while the cloud itself is deaf: then every robot seems silent.
    """
    since = listening()
    if deaf(now, since[1] if since else None):
        return
    robot_ids = list(Robot.objects.filter(deleted_at=None).values_list("robot_id", flat=True))
    signs = signs_of(robot_ids)
    is_open = set(Alarm.objects.filter(kind=OFFLINE.code, resolved_at=None).values_list("robot_id", flat=True))
    for robot_id in robot_ids:
        now_state = state(now, signs[robot_id])
        if now_state is State.OFFLINE and robot_id not in is_open:
            heard_at = max(filter(None, (signs[robot_id].heard_at, signs[robot_id].presence_at)))
            raise_alarm(robot_id, OFFLINE, "", OFFLINE.severity, {"heard_at": heard_at.isoformat()}, now)
        elif now_state is not State.OFFLINE and robot_id in is_open:
            resolve_alarm(robot_id, OFFLINE.code, "", now)
    for robot_id in is_open - set(robot_ids):
        resolve_alarm(robot_id, OFFLINE.code, "", now)
