from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alarms', '0010_open_alarms'),
    ]

    operations = [
        migrations.AddField(
            model_name='alarm',
            name='waited_at',
            field=models.DateTimeField(null=True),
        ),
    ]
