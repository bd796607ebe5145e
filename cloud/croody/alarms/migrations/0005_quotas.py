"""What a robot has opened since yesterday, and what is over for long, are found by one step in an index each."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alarms", "0004_storms")]

    operations = [
        migrations.AddIndex("alarm", models.Index(fields=["robot_id", "opened_at"], name="alarm_of_robot")),
        migrations.AddIndex(
            "alarm", models.Index(condition=models.Q(("resolved_at__isnull", False)), fields=["resolved_at"], name="alarm_over")
        ),
    ]
