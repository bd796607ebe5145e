from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notices', '0005_browsers'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='reached',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
    ]
