"""A robot that was revoked may come back, and what was heard before is told apart."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("fleet", "0003_robots_that_are_there"),
    ]

    operations = [
        migrations.AddField(
            model_name="robot",
            name="returned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="robot",
            index=models.Index(condition=models.Q(("returned_at__isnull", False)), fields=["robot_id"], name="robot_that_came_back"),
        ),
    ]
