"""What the bridge says of itself, and how the worker's jobs ran last."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("liveness", "0001_initial"), ("fleet", "0002_rooms")]

    operations = [
        migrations.AddField("listening", "version", models.CharField(blank=True, db_default="", default="", max_length=64)),
        migrations.AddField("listening", "waiting", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.CreateModel(
            name="JobRun",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("period_s", models.FloatField()),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("took_s", models.FloatField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("noted_at", models.DateTimeField()),
            ],
        ),
    ]
