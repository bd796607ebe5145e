"""Django's view of detection. The label is older than the folder, and is part of the tables' names."""

from django.apps import AppConfig


class DetectionConfig(AppConfig):
    """The tables are called `ids_...`. Registers with alarms."""

    name = "croody.detection"
    label = "ids"

    def ready(self) -> None:
        """Register; called once at the start."""
        from croody.alarms import kinds
        from croody.detection.incidents import refused
        from croody.detection.incidents.kinds import KINDS as INCIDENTS
        from croody.detection.incidents.network_words import NETWORK
        from croody.detection.kinds import KINDS
        from croody.detection.sensor_words import SENSORS
        from croody.detection.site_models.kinds import MODEL_RETURNED
        from croody.telemetry.kinds import register_events, told_elsewhere

        kinds.register(*KINDS, *INCIDENTS, NETWORK, MODEL_RETURNED, *SENSORS)
        register_events(NETWORK, *SENSORS)
        # Its counters come as evidence, and that is an incident.
        told_elsewhere(NETWORK.code)
        refused.listen()
