"""By the clock: alarms for robots that fall silent, and the end of those that a simulator borrowed."""

import time
from datetime import datetime, timedelta
from typing import Final

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet.models import Robot
from croody.fleet.services import revoke
from croody.liveness.judge import State, deaf, state
from croody.liveness.kinds import OFFLINE
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of
from croody.web.turns import give_way

#: Robots that are judged together; alarms that one run opens and closes at most: the next one goes on two seconds later.
_PAGE: Final = 500
_CHANGES: Final = 200
#: How long after it was heard last a borrowed robot stays.
_LENT: Final = timedelta(hours=1)


def judge_liveness(now: datetime) -> None:
    """Open an alarm for each robot that fell silent, close it for each that is back.

    A robot never seen raises none, and nothing is said while the cloud itself is deaf: then every robot seems silent.
    """
    since = listening()
    if deaf(now, since[1] if since else None):
        return
    left = _CHANGES
    after = ""
    while left > 0:
        here = Robot.objects.filter(deleted_at=None, robot_id__gt=after).order_by("robot_id")
        robot_ids = list(here.values_list("robot_id", flat=True)[:_PAGE])
        left -= _judge(robot_ids, now, left)
        if len(robot_ids) < _PAGE:
            break
        after = robot_ids[-1]
    known = Robot.objects.filter(deleted_at=None).values("pk")
    gone = Alarm.objects.filter(kind=OFFLINE.code, resolved_at=None).exclude(robot_id__in=known)
    for robot_id in gone.values_list("robot_id", flat=True)[:_CHANGES]:
        resolve_alarm(robot_id, OFFLINE.code, "", now)


def retire_borrowed(now: datetime) -> None:
    """Robots of simulators that keep no credentials go an hour after they were heard last; what they sent stays."""
    here = Robot.objects.filter(borrowed=True, deleted_at=None, created_at__lt=now - _LENT).order_by("robot_id")
    robots = {robot.robot_id: robot for robot in here[:_PAGE]}
    for robot_id, heard in signs_of(robots).items():
        last = max(filter(None, (heard.heard_at, heard.presence_at)), default=None)
        if last is None or last < now - _LENT:
            begun_s = time.monotonic()
            revoke(robots[robot_id], now=now)
            give_way("default", time.monotonic() - begun_s)


def _judge(robot_ids: list[str], now: datetime, most: int) -> int:
    """Open and close alarms of these robots, at most so many. Says how many."""
    signs = signs_of(robot_ids)
    is_open = set(Alarm.objects.filter(robot_id__in=robot_ids, kind=OFFLINE.code, resolved_at=None).values_list("robot_id", flat=True))
    changed = 0
    for robot_id in robot_ids:
        if changed == most:
            break
        silent = state(now, signs[robot_id]) is State.OFFLINE
        if silent == (robot_id in is_open):
            continue
        begun_s = time.monotonic()
        if silent:
            heard_at = max(filter(None, (signs[robot_id].heard_at, signs[robot_id].presence_at)))
            raise_alarm(robot_id, OFFLINE, "", OFFLINE.severity, {"heard_at": heard_at.isoformat()}, now)
        else:
            resolve_alarm(robot_id, OFFLINE.code, "", now)
        changed += 1
        give_way("default", time.monotonic() - begun_s)
    return changed
