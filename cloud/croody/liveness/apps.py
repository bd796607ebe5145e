"""Django's view of liveness: says at the start who judges robots, and what its alarm is like."""

from collections.abc import Collection
from datetime import datetime

from django.apps import AppConfig


class LivenessConfig(AppConfig):
    """Registers with the fleet and with alarms."""

    name = "croody.liveness"

    def ready(self) -> None:
        """Register; called once at the start."""
        from croody.alarms import kinds
        from croody.fleet.queries import register_states
        from croody.liveness.kinds import KINDS

        register_states(_states)
        kinds.register(*KINDS)


def _states(robot_ids: Collection[str], now: datetime) -> dict[str, str]:
    from croody.liveness.signs import states_of

    return {robot_id: state.value for robot_id, state in states_of(robot_ids, now=now).items()}
