"""`croody audit list|export`: who did what, read on the server itself. Nothing here writes, and nothing anywhere changes an entry."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.audit import queries
from croody.audit.queries import Readable, Wanted
from croody.web import command
from croody_contract.printable import printable


class Command(command.Command):
    """The audit log by hand."""

    about = gettext_lazy("la bitácora: list muestra quién hizo qué, primero lo más nuevo; export la escribe como archivo.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="{list,export}")
        listing = verbs.add_parser("list", help=_("una línea por acto: cuándo, quién, qué, a qué, qué cambió"))
        listing.add_argument("--name", default="", help=_("quién"))
        listing.add_argument("--did", metavar="VERB", default="", help=_("qué hizo: add, rotate, close, ..."))
        listing.add_argument("--thing", default="", help=_("a qué clase de cosa: robot, alarm, token, ..."))
        listing.add_argument("--limit", type=int, default=50, help=_("cuántas como mucho, de 1 a 1000") + " (%(default)s)")
        export = verbs.add_parser("export", help=_("todo un período, como `croody export audit`"))
        export.add_argument("--start", metavar="TIME", help=_("desde cuándo, ISO 8601; sin zona es UTC; ayer a esta hora si no se dice"))
        export.add_argument("--end", metavar="TIME", help=_("hasta cuándo, sin incluirlo; ahora si no se dice"))
        export.add_argument("--format", choices=["csv", "parquet"], default="csv", help=_("el formato") + " (%(default)s)")
        export.add_argument("--output", metavar="FILE", help=_("el archivo; la salida estándar si no se dice"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        if options["verb"] == "export":
            said = [f"--{name}={options[name]}" for name in ("start", "end", "format", "output") if options[name] is not None]
            call_command("export", "audit", *said)
            return
        limit: int = options["limit"]
        if not 1 <= limit <= 1000:
            raise CommandError(_("--limit %(limit)d: escribe de 1 a 1000") % {"limit": limit})
        wanted = Wanted(name=options["name"], verb=options["did"], thing=options["thing"])
        for entry in queries.page(Readable(None), wanted, limit=limit):
            changed = json.dumps(entry.after or entry.before, ensure_ascii=False) if entry.after or entry.before else ""
            who = f"{entry.name or '-'} ({entry.kind})"
            cells = (entry.at.isoformat(timespec="seconds"), who, entry.verb, entry.thing, entry.thing_id, changed)
            self.stdout.write("\t".join(printable(str(cell)) for cell in cells))
