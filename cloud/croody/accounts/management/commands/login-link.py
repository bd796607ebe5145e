"""`croody login-link [--user NAME]`: prints a URL that logs in once. Knows no password, and sets none."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from croody.accounts.demo import OPERATOR
from croody.accounts.services import make_login_link

#: Of those from whom to choose, so many are named.
_MOST_NAMES: Final = 10


class Command(BaseCommand):
    """A first way in, and the way back in for who forgot a password."""

    help = "Print a one-time login URL. It works once, for an hour, in any browser that reaches the address."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose login, at which address, for how long."""
        parser.add_argument("--user", metavar="NAME", help="whose login; not needed when there is one user, nor in the demo")
        parser.add_argument("--create", action="store_true", help="make the user when there is none of this name")
        parser.add_argument("--superuser", action="store_true", help="with --create: may do everything, also in /admin/")
        parser.add_argument("--base", metavar="URL", default=settings.ENV.public_url, help="where people reach the site (%(default)s)")
        parser.add_argument("--minutes", type=int, default=60, help="how long it works, 1 to 1440 (%(default)s)")
        parser.add_argument("--language", choices=[code for code, _ in settings.LANGUAGES], help="language of the page")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the URL and nothing else."""
        minutes: int = options["minutes"]
        if not 1 <= minutes <= 1440:
            raise CommandError(f"--minutes {minutes}: write 1 to 1440")
        path = make_login_link(self._user(options), lasts=timedelta(minutes=minutes))
        prefix = f"/{options['language']}" if options["language"] else ""
        self.stdout.write(f"{options['base'].rstrip('/')}{prefix}{path}")

    def _user(self, options: dict[str, Any]) -> User:
        name: str | None = options["user"]
        found = list(User.objects.filter(is_active=True, **({"username": name} if name else {})).order_by("pk")[:2])
        if len(found) == 1:
            return found[0]
        if name and options["create"]:
            user = User(username=name, is_staff=options["superuser"], is_superuser=options["superuser"])
            user.set_unusable_password()
            user.save()
            return user
        if name:
            raise CommandError(f"--user {name}: no active user has this name: add --create to make one")
        if not found:
            raise CommandError("no user yet: add --user NAME --create")
        operator = User.objects.filter(username=OPERATOR, is_active=True).first() if settings.ENV.demo else None
        if operator is not None:
            return operator
        names = ", ".join(User.objects.filter(is_active=True).order_by("pk").values_list("username", flat=True)[:_MOST_NAMES])
        raise CommandError(f"more than one user: choose with --user NAME, one of {names}")
