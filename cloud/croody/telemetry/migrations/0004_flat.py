"""The ledger is read from its end: a robot's newest stream with readings, and those that are not folded, by one step in an index."""

from django.db import migrations, models
from django.db.models.functions import Least

_COMMON = "UPDATE telemetry_stream SET latest_heard_at = {}(latest_at, last_received_at) WHERE latest_seq IS NOT NULL"


def _fill(apps, schema_editor):
    """What is booked already: no reading counts later than its stream was heard."""
    least = "least" if schema_editor.connection.vendor == "postgresql" else "min"
    schema_editor.execute(_COMMON.format(least))


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0003_deliveries")]

    operations = [
        migrations.CreateModel(
            name="SetAside",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job", models.CharField(max_length=32)),
                ("robot_id", models.CharField(blank=True, max_length=64)),
                ("what", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=500)),
                ("at", models.DateTimeField(db_index=True)),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("job", "robot_id", "what"), name="set_aside_once")]},
        ),
        migrations.AddField("streamtotal", "missing", models.BigIntegerField(db_default=0, default=0)),
        migrations.AddField("streamtotal", "gaps", models.BigIntegerField(db_default=0, default=0)),
        migrations.AddField("streamtotal", "heard_at", models.DateTimeField(null=True)),
        migrations.RemoveIndex("stream", "ledger_by_place"),
        migrations.RemoveIndex("stream", "ledger_missing"),
        migrations.AddField("stream", "latest_heard_at", models.DateTimeField(null=True)),
        migrations.RunPython(_fill, migrations.RunPython.noop),
    ]
