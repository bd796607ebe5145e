"""`croody token create|list|revoke`: the command line of `accounts.tokens`."""

from argparse import ArgumentParser
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts import organisations, tokens
from croody.accounts.models import Membership, Token
from croody.accounts.services import works
from croody.audit.actor import command_actor
from croody.web import command
from croody_contract.printable import printable

#: Of a list.
_MOST: Final = 500
#: Characters of a name.
_NAME: Final = 80
_LONGEST_DAYS: Final = 3650


class Command(command.Command):
    """Keys of programs, by hand."""

    about = gettext_lazy("claves de la API: create muestra una, una vez; list; revoke deja de servir.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="{create,list,revoke}")
        create = verbs.add_parser("create", help=_("hace una clave y la muestra, una vez"))
        create.add_argument("name", metavar="NAME", help=_("para qué es, en pocas palabras"))
        create.add_argument("--user", metavar="NAME", help=_("de esta persona: puede lo que ella pueda"))
        create.add_argument("--organisation", metavar="SLUG", help=_("del servicio de una organización, cuando no es de una persona"))
        role = _("lo que puede una clave de servicio")
        create.add_argument("--role", choices=Membership.Role.values, default=Membership.Role.VIEWER.value, help=role + " (%(default)s)")
        scopes = _("para qué sirve, con comas: %(scopes)s") % {"scopes": ", ".join(Token.Scope.values)}
        create.add_argument("--scopes", default=Token.Scope.READ.value, help=scopes + " (%(default)s)")
        create.add_argument("--days", type=int, default=365, help=_("cuántos días sirve; 0, sin fin") + " (%(default)s)")
        verbs.add_parser("list", help=_("una clave por línea: número, principio, de quién, para qué, hasta cuándo, último uso"))
        verbs.add_parser("revoke", help=_("deja a una clave fuera")).add_argument("number", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        match options["verb"]:
            case "create":
                self.stdout.write(self._create(options))
            case "list":
                self._list()
            case "revoke":
                self._revoke(options["number"])

    def _create(self, options: dict[str, Any]) -> str:
        name, now, days = _name(options["name"]), timezone.now(), _days(options["days"])
        made: dict[str, Any] = {"scopes": _scopes(options["scopes"]), "days": days, "now": now, "actor": command_actor()}
        try:
            if options["user"]:
                return tokens.make_personal(_user(options["user"]), name, **made)[1]
            organisation = organisations.organisation(options["organisation"])
            return tokens.make_service(organisation, name, role=Membership.Role(options["role"]), **made)[1]
        except (tokens.TooMany, organisations.BadOrganisation) as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        found = Token.objects.filter(works(timezone.now())).select_related("user", "organisation").order_by("pk")[:_MOST]
        for token in found:
            who = token.user.get_username() if token.user is not None else f"{token.organisation} ({token.role})"
            ends = token.expires_at.isoformat(timespec="seconds") if token.expires_at else "-"
            used = token.last_used_at.isoformat(timespec="seconds") if token.last_used_at else "-"
            cells = (token.pk, f"{token.prefix}…", who, token.name or "-", ",".join(token.scopes) or "-", ends, used)
            self.stdout.write("\t".join(printable(str(cell)) for cell in cells))

    def _revoke(self, number: int) -> None:
        token = Token.objects.filter(pk=number).first() if 0 < number < 2**63 else None
        if token is None or not tokens.revoke(token, now=timezone.now(), actor=command_actor()):
            raise CommandError(_("no hay clave %(number)d que sirva: mira `croody token list`") % {"number": number})
        self.stdout.write(_("%(prefix)s… ya no sirve") % {"prefix": token.prefix})


def _name(text: str) -> str:
    name = " ".join(printable(text).split())
    if not 1 <= len(name) <= _NAME:
        raise CommandError(_("nombre %(name)s: escribe de 1 a %(most)d caracteres") % {"name": name[:_NAME], "most": _NAME})
    return name


def _days(days: int) -> int | None:
    if not 0 <= days <= _LONGEST_DAYS:
        raise CommandError(_("--days %(days)d: escribe de 1 a %(most)d, o 0 para que no termine") % {"days": days, "most": _LONGEST_DAYS})
    return days or None


def _scopes(text: str) -> list[Token.Scope]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    wrong = next((name for name in names if name not in Token.Scope.values), None)
    if wrong is not None or not names:
        said = {"name": wrong or text, "known": ", ".join(Token.Scope.values)}
        raise CommandError(_("--scopes %(name)s: usa uno o más de: %(known)s") % said)
    return [Token.Scope(name) for name in dict.fromkeys(names)]


def _user(name: str) -> User:
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError(_("persona %(name)s: nadie activo se llama así: mira `croody member list`") % {"name": name})
    return found
