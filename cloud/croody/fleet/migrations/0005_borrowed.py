"""Robots that a simulator borrowed are retired after it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("fleet", "0004_returned"),
    ]

    operations = [
        migrations.AddField(
            model_name="robot",
            name="borrowed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="robot",
            index=models.Index(condition=models.Q(("borrowed", True), ("deleted_at", None)), fields=["robot_id"], name="robot_that_is_borrowed"),
        ),
    ]
