"""Codes are as long as robots may make them, and open alarms are found by their last news."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alarms", "0001_initial")]

    operations = [
        migrations.AlterField(model_name="alarm", name="kind", field=models.CharField(max_length=64)),
        migrations.AddIndex(
            model_name="alarm",
            index=models.Index(condition=models.Q(("resolved_at", None)), fields=["last_at"], name="open_alarm_by_news"),
        ),
    ]
