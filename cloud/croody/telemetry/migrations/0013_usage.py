"""One row a robot: how many streams it opened of late, as every process counts them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0012_days'),
    ]

    operations = [
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('robot_id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('streams', models.FloatField(default=0)),
                ('at', models.DateTimeField(db_index=True)),
            ],
        ),
    ]
