"""The book of listening belongs to liveness. Its table stays as it is, under its name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("fleet", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Listening",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("since", models.DateTimeField()),
                        ("at", models.DateTimeField()),
                    ],
                    options={"db_table": "fleet_listening"},
                ),
            ]
        )
    ]
