"""What is over is found in the order in which a list shows it, of all robots and of one."""

from django.db import migrations, models

_OVER = models.Q(("resolved_at__isnull", False))


class Migration(migrations.Migration):
    dependencies = [("alarms", "0005_quotas")]

    operations = [
        migrations.RemoveIndex("alarm", "alarm_over"),
        migrations.AddIndex("alarm", models.Index(condition=_OVER, fields=["-resolved_at", "-opened_at", "-id"], name="alarm_over")),
        migrations.AddIndex(
            "alarm",
            models.Index(condition=_OVER, fields=["robot_id", "-resolved_at", "-opened_at", "-id"], name="alarm_over_of_robot"),
        ),
    ]
