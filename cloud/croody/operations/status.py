"""`python -m croody.operations.status`: what `./croody status` prints, in the terminal's language; exit status 1 when something is wrong.

Facts of the engine come on standard input, the rest is asked here: the database, the certificate, the disk of the data.
"""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croody import catalogue
from croody.operations import certificate
from croody.operations.facts import Certificate, Disk, parse

TLS: Final = Path("/data/tls")
DATA: Final = Path("/data")


def read_certificate(folder: Path) -> Certificate:
    """Of the file that gateway and broker show."""
    command = ["openssl", "x509", "-in", str(folder / certificate.CHAIN), "-noout", "-enddate", "-issuer", "-nameopt", "RFC2253"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    fields = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    try:
        ends_at = datetime.strptime(fields["notAfter"], "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return Certificate(problem=(done.stderr.strip().splitlines() or [done.stdout.strip()])[0])
    return Certificate(fields.get("issuer", "").strip(), ends_at)


def main() -> int:
    """Ask, judge, print."""
    facts = parse(sys.stdin)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    import django

    django.setup()
    from django.utils.translation import activate

    from croody.operations import database_facts
    from croody.operations.report import Report

    activate(catalogue.terminal_language())

    now = datetime.now(UTC)
    usage = shutil.disk_usage(DATA)
    report = Report(now)
    report.engine(facts)
    report.database(database_facts.read(now))
    report.certificate(read_certificate(TLS), by_acme="certbot" in facts.wanted)
    report.disk(Disk(usage.free, usage.used))
    if facts.database_disk is not None:
        report.disk(facts.database_disk, of_database=True)
    report.backup(facts)
    print(report.text())
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
