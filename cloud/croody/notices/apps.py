"""Django's view of rules and notices: declares the kind of alarm that rules raise."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Registers with alarms."""

    name = "croody.notices"

    def ready(self) -> None:
        """Declare; called once at the start."""
        from croody.alarms import kinds
        from croody.notices.kinds import KINDS

        kinds.register(*KINDS)
