"""`croody dead`: look at what could not be stored, and play it again."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management import BaseCommand, CommandError

from croody.telemetry.ingest import services
from croody.telemetry.models import DeadLetter
from croody_contract.printable import printable


class Command(BaseCommand):
    """`list`, `show N`, `replay N`."""

    help = "Dead letters: list them, show one with its bytes, play one again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Subcommands."""
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="newest first")
        listing.add_argument("--robot", help="only of this robot")
        listing.add_argument("--limit", type=int, default=50)
        for action, text in (("show", "one letter with its bytes"), ("replay", "judge one again")):
            actions.add_parser(action, help=text).add_argument("number", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        if options["action"] == "list":
            self._list(options["robot"], options["limit"])
            return
        letter = DeadLetter.objects.filter(pk=options["number"]).first()
        if letter is None:
            raise CommandError(f"there is no dead letter {options['number']}: see croody dead list")
        if options["action"] == "show":
            self._show(letter)
            return
        try:
            done = services.replay(letter, now=datetime.now(UTC))
        except services.NotReplayable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"stored {done.stored}, dead {done.dead}")

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
