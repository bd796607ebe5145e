"""`croody setup`: every table in every database, and the partitions of the days to come. Safe to run again."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.utils.translation import gettext_lazy

from croody.telemetry.store import partitions
from croody.web import command


class Command(command.Command):
    """Migrates each database alias, then makes partitions ahead."""

    about = gettext_lazy("hace o pone al día las tablas de cada base de datos. Se puede repetir.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        for alias in settings.DATABASES:
            # A database of telemetry's own has no other tables, and to build the models of all others' migrations takes seconds.
            apps = ["telemetry"] if alias != "default" else []
            call_command("migrate", *apps, database=alias, interactive=False, verbosity=options["verbosity"], skip_checks=True)
        partitions.ensure(partitions.ahead(datetime.now(UTC)))
