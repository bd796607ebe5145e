"""Which streams have readings is worked out by the database itself. The ledger is small: its table is made anew in a moment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0004_flat")]

    operations = [
        migrations.AddField(
            "stream",
            "has_readings",
            models.GeneratedField(
                expression=models.Q(("latest_seq__isnull", False), models.Q(("stream__in", ("http", "mqtt")), _negated=True)),
                output_field=models.BooleanField(),
                db_persist=True,
            ),
        ),
        migrations.AddIndex("stream", models.Index(fields=["robot_id", "folded_at", "place"], name="ledger_open")),
        migrations.AddIndex(
            "stream", models.Index(condition=models.Q(("has_readings", True)), fields=["robot_id", "place"], name="ledger_readings")
        ),
        migrations.AddIndex(
            "stream",
            models.Index(condition=models.Q(("missing_since__isnull", False)), fields=["robot_id", "missing_since"], name="ledger_gaps"),
        ),
    ]
