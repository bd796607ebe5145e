"""Scopes were written and never read: every token could do all that its owner may. From now on they hold, so that is what is written."""

from django.db import migrations


def _what_they_had(apps, schema_editor):
    apps.get_model("accounts", "Token").objects.using(schema_editor.connection.alias).update(scopes=["act", "ingest", "read"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_organisations")]

    operations = [migrations.RunPython(_what_they_had, migrations.RunPython.noop)]
