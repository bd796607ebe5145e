"""What a ledger row comes to, beside its sets: empty until the row is written next."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """After the last one before it."""

    dependencies = [("telemetry", "0016_vehicle_memory")]
    operations = [
        *(
            migrations.AddField("stream", name, models.BigIntegerField(null=True))
            for name in ("stored", "dead_count", "dropped_count", "missing_count", "gaps")
        ),
        migrations.AddField("stream", "counted_at", models.DateTimeField(null=True)),
    ]
