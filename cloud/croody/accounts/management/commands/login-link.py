"""`croody login-link [--user NAME]`: prints a URL that logs in once. Knows no password, and sets none."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts import second_factors
from croody.accounts.audit_trail import note
from croody.accounts.demo import OPERATOR
from croody.accounts.services import make_login_link
from croody.audit.actor import command_actor
from croody.web import command

#: Of those from whom to choose, so many are named.
_MOST_NAMES: Final = 10


class Command(command.Command):
    """A first way in, and the way back in for who forgot a password."""

    about = gettext_lazy("muestra un enlace de entrada: sirve una vez, durante una hora, en cualquier navegador que llegue a la dirección.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose login, at which address, for how long."""
        parser.add_argument("--user", metavar="NAME", help=_("de quién; no hace falta cuando hay una sola persona, ni en la demostración"))
        parser.add_argument("--create", action="store_true", help=_("hace la cuenta cuando no hay ninguna con ese nombre"))
        parser.add_argument("--superuser", action="store_true", help=_("con --create: puede hacerlo todo, también en /admin/"))
        parser.add_argument(
            "--base", metavar="URL", default=settings.ENV.public_url, help=_("por dónde se llega al sitio") + " (%(default)s)"
        )
        parser.add_argument(
            "--forget-second-factor", action="store_true", help=_("quita el segundo factor a quien perdió teléfono, llaves y códigos")
        )
        parser.add_argument("--minutes", type=int, default=60, help=_("cuántos minutos sirve, de 1 a 1440") + " (%(default)s)")
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES], help=_("idioma de la página"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the URL and nothing else."""
        minutes: int = options["minutes"]
        if not 1 <= minutes <= 1440:
            raise CommandError(_("--minutes %(minutes)d: escribe de 1 a 1440") % {"minutes": minutes})
        user = self._user(options)
        if options["forget_second_factor"]:
            second_factors.forget(user, now=timezone.now(), actor=command_actor())
        path = make_login_link(user, lasts=timedelta(minutes=minutes), actor=command_actor())
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
            note(user, command_actor(), "add", "person", name, timezone.now(), after={"superuser": options["superuser"]})
            return user
        if name:
            raise CommandError(_("--user %(name)s: nadie activo se llama así: añade --create para hacer la cuenta") % {"name": name})
        if not found:
            raise CommandError(_("todavía no hay nadie: añade --user NOMBRE --create"))
        operator = User.objects.filter(username=OPERATOR, is_active=True).first() if settings.ENV.demo else None
        if operator is not None:
            return operator
        names = ", ".join(User.objects.filter(is_active=True).order_by("pk").values_list("username", flat=True)[:_MOST_NAMES])
        raise CommandError(_("hay más de una persona: elige con --user NOMBRE, una de %(names)s") % {"names": names})
