"""`croody export readings|events|alarms|audit`: the exports of `/api/v1/` on the server itself, into a file or to standard output."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.alarms.models import Alarm
from croody.api import files, tables
from croody.api.errors import Wrong
from croody.api.tables import Span, Table
from croody.audit.queries import Readable, Wanted
from croody.fleet.models import Robot
from croody.web import command

_WHAT: Final = ("readings", "events", "alarms", "audit")


class Command(command.Command):
    """Ranges as files."""

    about = gettext_lazy("exporta lecturas, eventos, alertas o la bitácora de un período, como CSV o Parquet.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, from when until when, and where to."""
        parser.add_argument("what", choices=_WHAT, metavar="{readings,events,alarms,audit}")
        parser.add_argument("--start", metavar="TIME", help=_("desde cuándo, ISO 8601; sin zona es UTC; ayer a esta hora si no se dice"))
        parser.add_argument("--end", metavar="TIME", help=_("hasta cuándo, sin incluirlo; ahora si no se dice"))
        parser.add_argument("--robot", metavar="ID", action="append", default=[], help=_("solo de este robot; se puede repetir"))
        parser.add_argument(
            "--metric", metavar="NAME", action="append", default=[], help=_("una columna para esta métrica; se puede repetir")
        )
        parser.add_argument("--format", choices=list(files.TYPES), default="csv", help=_("el formato") + " (%(default)s)")
        parser.add_argument("--output", metavar="FILE", type=Path, help=_("el archivo; la salida estándar si no se dice"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it out while it is read."""
        try:
            files.check(options["format"])
        except Wrong as error:
            raise CommandError(str(error)) from error
        table = _table(options, timezone.now())
        with _opened(options["output"]) as out:
            for piece in files.make(options["format"], table.columns, table.pages):
                out.write(piece)


def _table(options: dict[str, Any], now: datetime) -> Table:
    start = _time("--start", options["start"], now - timedelta(days=1))
    end = _time("--end", options["end"], now)
    if start >= end:
        raise CommandError(_("--start %(start)s: no es anterior a --end %(end)s") % {"start": start.isoformat(), "end": end.isoformat()})
    match options["what"]:
        case "alarms":
            return tables.alarms(Alarm.objects.filter(opened_at__gte=start, opened_at__lt=end, **_of(options["robot"])), 0)
        case "audit":
            return tables.audit(Readable(None), Wanted(since=start, until=end), None)
    span = Span(_robots(options["robot"]), start, end, now)
    return tables.readings(span, options["metric"]) if options["what"] == "readings" else tables.events(span)


def _of(robot_ids: list[str]) -> dict[str, Any]:
    return {"robot_id__in": _robots(robot_ids)} if robot_ids else {}


def _robots(robot_ids: list[str]) -> list[str]:
    """These, revoked ones too, whose readings stay; all that there are without any."""
    if not robot_ids:
        return list(Robot.objects.order_by("pk").values_list("pk", flat=True))
    known = set(Robot.objects.filter(pk__in=robot_ids).values_list("pk", flat=True))
    unknown = next((one for one in robot_ids if one not in known), None)
    if unknown is not None:
        raise CommandError(_("robot_id %(id)s: no hay tal robot: mira `croody robot list`") % {"id": unknown})
    return robot_ids


def _time(option: str, text: str | None, otherwise: datetime) -> datetime:
    if text is None:
        return otherwise
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandError(
            _("%(option)s %(text)s: escribe un momento como 2026-11-24T10:00:00Z") % {"option": option, "text": text}
        ) from error


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise CommandError(f"--output {path}: {error.strerror}") from error
