"""Pictures of cameras, and what a robot told by the kinds that people read."""

from typing import Any

from django.db import migrations, models

# What people read of a robot, by name: a new kind of record costs this index nothing.
_MADE = (
    "DROP INDEX IF EXISTS telemetry_record_told",
    "CREATE INDEX IF NOT EXISTS telemetry_record_told ON telemetry_record (robot_id, at DESC)"
    " WHERE kind IN ('born', 'event', 'tombstone', 'log')",
    # New pictures are few: what looks at them walks this index alone.
    "CREATE INDEX IF NOT EXISTS telemetry_record_snapshot ON telemetry_record (id) WHERE kind = 'snapshot'",
)


def make(apps: Any, schema_editor: Any) -> None:
    """Django asks the router first, so they are made only where telemetry lives."""
    for statement in _MADE:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Undo `make`; `told` goes with the migration before."""
    schema_editor.execute("DROP INDEX IF EXISTS telemetry_record_snapshot")



class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0010_proof'),
    ]

    operations = [
        migrations.RunPython(make, drop),
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('robot_id', models.CharField(max_length=64)),
                ('camera', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
                ('received_at', models.DateTimeField(db_index=True)),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('jpeg', models.BinaryField()),
            ],
            options={
                'indexes': [models.Index(fields=['robot_id', 'camera', '-at'], name='pictures_of_camera')],
            },
        ),
    ]
