"""A robot's plain streams are found in an index that holds no others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0006_flat_jobs")]

    operations = [
        migrations.AddIndex(
            "stream", models.Index(condition=models.Q(("stream__in", ("http", "mqtt"))), fields=["robot_id"], name="ledger_plain")
        ),
    ]
