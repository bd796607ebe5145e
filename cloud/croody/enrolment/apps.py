"""Django's view of enrolment: declares its alarms, and listens to the fleet, which lies below alarms."""

from datetime import datetime
from typing import Any

from django.apps import AppConfig


class EnrolmentConfig(AppConfig):
    """Raises what the fleet notices."""

    name = "croody.enrolment"

    def ready(self) -> None:
        """Declare and listen; called once at the start."""
        from croody.alarms import kinds
        from croody.commands.services import answered
        from croody.enrolment.kinds import KINDS
        from croody.fleet.claims import claim_used_again
        from croody.fleet.services import secret_replaced

        kinds.register(*KINDS)
        claim_used_again.connect(_used_again, dispatch_uid="enrolment")
        answered.connect(_answered, dispatch_uid="enrolment")
        secret_replaced.connect(_replaced, dispatch_uid="enrolment")


def _answered(sender: Any, *, robot_id: str, number: int, kind: str, said: Any, now: datetime, **kwargs: Any) -> None:
    from croody.enrolment import rotation

    if kind == rotation.ROTATE:
        rotation.on_answer(robot_id, number, said, now)


def _replaced(sender: Any, *, robot: Any, now: datetime, **kwargs: Any) -> None:
    from croody.enrolment import rotation

    rotation.on_replaced(robot, now)


def _used_again(sender: Any, *, robot: Any, address: str, now: datetime, **kwargs: Any) -> None:
    from croody.alarms.services import raise_alarm
    from croody.enrolment.kinds import CLAIM_USED_AGAIN

    raise_alarm(robot.pk, CLAIM_USED_AGAIN, "", CLAIM_USED_AGAIN.severity, {"address": address}, now)
