"""What was refused of late is found beside any number of other dead letters; hourly roll-ups are let go of by their age."""

import importlib

from django.db import migrations, models

_AddIndex = importlib.import_module("croody.telemetry.migrations.0006_flat_jobs").AddIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("telemetry", "0007_plain_streams")]

    operations = [
        _AddIndex("deadletter", models.Index(condition=models.Q(("reason", "quota")), fields=["received_at"], name="quotas_by_age")),
        _AddIndex("rollup", models.Index(condition=models.Q(("step_s", 3600)), fields=["at"], name="hours_by_age")),
    ]
