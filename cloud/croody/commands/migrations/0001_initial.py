"""What goes out to robots has a room of its own. Its table stays as it is, under its name."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("fleet", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Outgoing",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("kind", models.CharField(max_length=32)),
                        ("payload", models.JSONField()),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("expires_at", models.DateTimeField()),
                        ("next_at", models.DateTimeField(db_index=True)),
                        ("attempts", models.PositiveIntegerField(default=0)),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("answered_at", models.DateTimeField(null=True)),
                        ("answer_state", models.CharField(blank=True, max_length=16)),
                        ("answer_detail", models.CharField(blank=True, max_length=1024)),
                        (
                            "robot",
                            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="outgoing", to="fleet.robot"),
                        ),
                    ],
                    options={"db_table": "fleet_outgoing"},
                ),
            ]
        )
    ]
