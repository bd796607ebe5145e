"""What is still to be said to robots is found beside any number of rows that are answered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("commands", "0001_initial")]

    operations = [
        migrations.AddIndex(
            "outgoing", models.Index(condition=models.Q(("answered_at", None)), fields=["expires_at"], name="outgoing_open")
        ),
        migrations.AddIndex("outgoing", models.Index(fields=["robot", "kind", "expires_at"], name="outgoing_of_robot")),
    ]
