"""Many robots with one cause in a minute are one alarm: a row of no robot, and theirs are parts of it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_scopes"), ("alarms", "0003_open_by_kind")]

    operations = [
        migrations.AddField(
            "alarm",
            "organisation",
            models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            "alarm",
            "part_of",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="parts",
                to="alarms.alarm",
            ),
        ),
        migrations.AddIndex(
            "alarm", models.Index(condition=models.Q(("part_of", None)), fields=["kind", "opened_at"], name="single_alarm_by_kind")
        ),
    ]
