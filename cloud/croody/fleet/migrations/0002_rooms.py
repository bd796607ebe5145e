"""Organisations, commands and listening moved to rooms of their own; no table changes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0001_initial"),
        ("accounts", "0003_organisations"),
        ("commands", "0001_initial"),
        ("liveness", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="robot",
                    name="organisation",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="robots", to="accounts.organisation"
                    ),
                ),
                migrations.AlterField(
                    model_name="site",
                    name="organisation",
                    field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="sites", to="accounts.organisation"),
                ),
                migrations.DeleteModel(name="Membership"),
                migrations.DeleteModel(name="Organisation"),
                migrations.DeleteModel(name="Outgoing"),
                migrations.DeleteModel(name="Listening"),
            ]
        )
    ]
