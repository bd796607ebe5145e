"""On SQLite no index of records by time alone: only retention asked by it, and each insert paid for it."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def drop(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """PostgreSQL never had it."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP INDEX IF EXISTS telemetry_record_at")


def make(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Undo `drop`."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("CREATE INDEX IF NOT EXISTS telemetry_record_at ON telemetry_record (at)")


class Migration(migrations.Migration):
    """After the last one before it."""

    dependencies = [("telemetry", "0013_usage")]
    operations = [migrations.RunPython(drop, make, hints={"app": "telemetry"})]
