"""Open alarms of a kind are found beside any number of those that are over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alarms", "0002_ends")]

    operations = [
        migrations.AddIndex(
            "alarm", models.Index(condition=models.Q(("resolved_at", None)), fields=["kind", "id"], name="open_alarm_by_kind")
        ),
    ]
