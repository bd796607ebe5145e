"""`croody dead`: look at what could not be stored, and play it again."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.audit.actor import command_actor
from croody.telemetry.ingest import services
from croody.telemetry.models import DeadLetter
from croody.telemetry.not_again import not_again
from croody.web import command
from croody_contract.printable import printable


class Command(command.Command):
    """`list`, `show N`, `replay N`."""

    about = gettext_lazy("cartas muertas: las lista, muestra una con sus bytes, vuelve a juzgar una.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Subcommands."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="{list,show,replay}")
        listing = actions.add_parser("list", help=_("primero las más nuevas"))
        listing.add_argument("--robot", help=_("solo de este robot"))
        listing.add_argument("--limit", type=int, default=50)
        for action, text in (("show", _("una carta con sus bytes")), ("replay", _("vuelve a juzgar una"))):
            actions.add_parser(action, help=text).add_argument("number", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        if options["action"] == "list":
            self._list(options["robot"], options["limit"])
            return
        letter = DeadLetter.objects.filter(pk=options["number"]).first()
        if letter is None:
            raise CommandError(_("no hay carta muerta %(number)d: mira `croody dead list`") % {"number": options["number"]})
        if options["action"] == "show":
            self._show(letter)
            return
        try:
            done = services.replay(letter, now=datetime.now(UTC), actor=command_actor())
        except services.NotReplayable as error:
            raise CommandError(printable(not_again(letter, error))) from error
        self.stdout.write(_("guardadas %(stored)d, muertas %(dead)d") % {"stored": done.stored, "dead": done.dead})
        if done.why:
            self.stdout.write(printable(done.why))

    def _list(self, robot_id: str | None, limit: int) -> None:
        letters = DeadLetter.objects.defer("body").order_by("-pk")
        if robot_id is not None:
            letters = letters.filter(robot_id=robot_id)
        for letter in letters[:limit]:
            place = f"{letter.stream}/{letter.first}-{letter.last}" if letter.first else "-"
            played = " replayed" if letter.replayed_at else ""
            when = letter.received_at.isoformat(timespec="seconds")
            row = (letter.pk, when, letter.robot_id or "-", place, letter.reason, f"x{letter.count}{played}", letter.detail)
            self.stdout.write("\t".join(printable(str(cell)) for cell in row))

    def _show(self, letter: DeadLetter) -> None:
        for name in ("id", "robot_id", "stream", "first", "last", "reason", "detail", "topic", "received_at", "count", "replayed_at"):
            self.stdout.write(f"{name}: {printable(str(getattr(letter, name)))}")
        self.stdout.write("body:\n" + printable(bytes(letter.body).decode("utf-8", "backslashreplace"), keep="\n\t"))
