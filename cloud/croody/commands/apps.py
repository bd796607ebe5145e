"""Django's view of the commands: listens to what ends a robot."""

from datetime import datetime
from typing import Any

from django.apps import AppConfig


class CommandsConfig(AppConfig):
    """A robot that is revoked is sent nothing any more."""

    name = "croody.commands"

    def ready(self) -> None:
        """Listen; called once at the start."""
        from croody.fleet.services import robot_revoked

        robot_revoked.connect(_end, dispatch_uid="commands")


def _end(sender: Any, *, robot: Any, now: datetime, **kwargs: Any) -> None:
    from croody.commands.services import end_for

    end_for(robot, now=now)
