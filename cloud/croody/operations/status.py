"""`python -m croody.operations.status`: what `./croody status` prints, in the terminal's language; exit status 1 when something is wrong.

Facts of the engine come on standard input, the rest is asked here: the database, the certificate, the disk of the data.
"""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croody import catalogue
from croody.console.system.certificate import of_file
from croody.console.system.facts import Disk
from croody.operations import certificate
from croody.operations.facts import parse

TLS: Final = Path("/data/tls")
DATA: Final = Path("/data")


def main() -> int:
    """Ask, judge, print."""
    facts = parse(sys.stdin)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    import django

    django.setup()
    from django.utils.translation import activate

    from croody.console.system import database
    from croody.operations.report import Report

    activate(catalogue.terminal_language())

    now = datetime.now(UTC)
    usage = shutil.disk_usage(DATA)
    report = Report(now)
    report.engine(facts)
    report.database(database.read(now))
    report.certificate(of_file(TLS / certificate.CHAIN), by_acme="certbot" in facts.wanted)
    report.disk(Disk(usage.free, usage.used))
    if facts.database_disk is not None:
        report.disk(facts.database_disk, of_database=True)
    report.backup(facts)
    print(report.text())
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
