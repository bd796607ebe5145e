"""Sessions are found by a hash of their key from now on. Those from before end: their keys stand in backups, as they are."""

from django.db import migrations


def _end_them(apps, schema_editor):
    apps.get_model("sessions", "Session").objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_scopes"), ("sessions", "0001_initial")]

    operations = [migrations.RunPython(_end_them, migrations.RunPython.noop)]
