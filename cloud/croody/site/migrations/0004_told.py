from django.db import migrations, models


def told(apps, schema_editor):
    """Whoever asked before had their mail then."""
    leaving = apps.get_model('site', 'Leaving')
    leaving.objects.using(schema_editor.connection.alias).update(told_at=models.F('asked_at'))


class Migration(migrations.Migration):

    dependencies = [
        ('site', '0003_leaving'),
    ]

    operations = [
        migrations.AddField(
            model_name='leaving',
            name='told_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='leaving',
            name='language',
            field=models.CharField(blank=True, db_default='', default='', max_length=8),
        ),
        migrations.RunPython(told, migrations.RunPython.noop),
    ]
