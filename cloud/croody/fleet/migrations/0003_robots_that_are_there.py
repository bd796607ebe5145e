"""Finds the robots that are there among any number of retired ones."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0002_rooms")]

    operations = [
        migrations.AddIndex(
            model_name="robot",
            index=models.Index(condition=models.Q(("deleted_at", None)), fields=["robot_id"], name="robot_that_is_there"),
        ),
    ]
