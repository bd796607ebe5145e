"""`croody setup`: every table in every database, and the partitions of the days to come. Safe to run again."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command

from croody.telemetry.store import partitions


class Command(BaseCommand):
    """Migrates each database alias, then makes partitions ahead."""

    help = "Bring every database up to date. Safe to run again."
    requires_system_checks = []  # noqa: RUF012

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        for alias in settings.DATABASES:
            call_command("migrate", database=alias, interactive=False, verbosity=options["verbosity"], skip_checks=True)
        partitions.ensure(partitions.ahead(datetime.now(UTC)))
