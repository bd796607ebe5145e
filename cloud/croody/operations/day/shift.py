"""What people did on the day, by the functions that the pages call. Finds the alarm that an act is about; decides nothing."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from croody.accounts.caller import of_user
from croody.alarms import acts
from croody.alarms.models import Alarm, Suppression
from croody.fleet import services
from croody.fleet.models import Robot
from croody.operations.day import people
from croody.operations.day.incidents import Act


def do(act: Act, users: Mapping[str, User], now: datetime) -> None:
    """Do it in that person's name. Of an alarm that is not open there is nothing to do."""
    caller, by = of_user(users[act.who]), people.actor(users[act.who])
    until = now + timedelta(minutes=act.minutes)
    if act.verb in ("maintain", "note"):
        robot = Robot.objects.get(pk=act.robot_id)
        if act.verb == "note":
            services.set_notes(robot, act.text, actor=by, now=now)
        else:
            services.start_maintenance(robot, until=until, reason=act.text, actor=by, now=now)
        return
    number = Alarm.objects.filter(robot_id=act.robot_id, kind=act.kind, resolved_at=None).values_list("pk", flat=True).first()
    if number is None:
        return
    match act.verb:
        case "close":
            acts.close_as(caller, number, now, actor=by)
        case "acknowledge":
            acts.acknowledge(caller, number, by=by, now=now)
        case "assign":
            acts.assign(caller, number, users[act.text].pk, by=by, now=now)
        case "snooze":
            acts.snooze(caller, number, until, by=by, now=now)
        case "false":
            acts.mark_false(caller, number, Suppression.Scope.CAUSE, until, by=by, now=now)
        case "comment":
            acts.comment(caller, number, act.text, by=by, now=now)
