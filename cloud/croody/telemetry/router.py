"""Sends `telemetry`'s tables to the database that `TG_DB_URL` names, everything else to `default`."""

from typing import Any

from django.conf import settings


class TelemetryRouter:
    """Django's database router protocol."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """Alias to read `model` from."""
        return settings.TELEMETRY_DB if model._meta.app_label == "telemetry" else "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Alias to write `model` to."""
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Say whether `app_label`'s tables belong in `db`."""
        return db == (settings.TELEMETRY_DB if app_label == "telemetry" else "default")
