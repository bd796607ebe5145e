"""Django's view of the alarms: declares the kind of many robots, and listens to what ends a robot."""

from datetime import datetime
from typing import Any

from django.apps import AppConfig


class AlarmsConfig(AppConfig):
    """Nobody has to look after a robot that was revoked."""

    name = "croody.alarms"

    def ready(self) -> None:
        """Declare and listen; called once at the start."""
        from croody.alarms import kinds, quota, storms
        from croody.fleet.services import robot_revoked

        kinds.register(*storms.KINDS, *quota.KINDS)
        robot_revoked.connect(_end, dispatch_uid="alarms")


def _end(sender: Any, *, robot: Any, now: datetime, **kwargs: Any) -> None:
    from croody.alarms.services import resolve_all

    resolve_all(robot.pk, now)
