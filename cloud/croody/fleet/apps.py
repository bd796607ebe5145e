"""Django's view of the fleet: says at the start whose secret is a robot's."""

from django.apps import AppConfig


class FleetConfig(AppConfig):
    """Registers with accounts."""

    name = "croody.fleet"

    def ready(self) -> None:
        """Register; called once at the start."""
        from croody.accounts.caller import register_robots
        from croody.fleet.queries import robot_id_of_secret

        register_robots(robot_id_of_secret)
