"""Django's view of telemetry: says at the start what it knows of robots to those who lie below it."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """Registers with liveness and with alarms."""

    name = "croody.telemetry"

    def ready(self) -> None:
        """Register; called once at the start."""
        from croody.alarms import kinds
        from croody.liveness.signs import register
        from croody.telemetry.kinds import KINDS, of_robots_word
        from croody.telemetry.read.heard import heard_of

        register(heard_of)
        kinds.register(*KINDS)
        kinds.register_robots(of_robots_word)
