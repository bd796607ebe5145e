"""What jobs look for in tables that grow: made while others write."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndex(AddIndexConcurrently):
    """Without a long lock on PostgreSQL; SQLite has one writer and makes an index in one go."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """See Django."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """See Django."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


_CONFLICT = models.Q(("reason", "conflict"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("telemetry", "0005_flat_ledger")]

    operations = [
        AddIndex("rollup", models.Index(condition=models.Q(("step_s", 60)), fields=["at"], name="minutes_by_age")),
        AddIndex("deadletter", models.Index(condition=_CONFLICT, fields=["robot_id", "stream"], name="letters_of_conflicts")),
        AddIndex("deadletter", models.Index(condition=_CONFLICT, fields=["received_at"], name="conflicts_by_age")),
    ]
