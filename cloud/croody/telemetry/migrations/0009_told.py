"""What a robot said beside its readings, and what came late, are found among any number of readings.

PostgreSQL makes an index of a partitioned table in one go, and nothing is written meanwhile: some seconds for ten million rows, once.
"""

from typing import Any

from django.db import migrations

_INDEXES = (
    "CREATE INDEX IF NOT EXISTS telemetry_record_told ON telemetry_record (robot_id, at DESC) WHERE kind NOT IN ('reading', 'window')",
    "CREATE INDEX IF NOT EXISTS telemetry_record_late ON telemetry_record (robot_id, at) WHERE historical",
)


def make(apps: Any, schema_editor: Any) -> None:
    """Django asks the router first, so they are made only where telemetry lives."""
    for statement in _INDEXES:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Undo `make`."""
    for name in ("told", "late"):
        schema_editor.execute(f"DROP INDEX IF EXISTS telemetry_record_{name}")


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0008_quotas")]
    operations = [migrations.RunPython(make, drop)]
