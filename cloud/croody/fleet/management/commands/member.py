"""`croody member add|remove|list`: who belongs to which organisation, and sees its robots. Knows no password."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts import organisations
from croody.accounts.models import Membership, Organisation
from croody.audit.actor import command_actor
from croody.fleet import access
from croody.web import command


class Command(command.Command):
    """People by hand."""

    about = gettext_lazy("personas: add deja ver los robots de una organización; remove lo termina; list.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="{add,remove,list}")
        add = verbs.add_parser("add", help=_("pone a una persona en una organización, o cambia lo que puede hacer en ella"))
        add.add_argument("user", metavar="NAME", help=_("de la cuenta, que ya existe"))
        add.add_argument("--role", choices=Membership.Role.values, default=Membership.Role.VIEWER.value, help=access.roles_in_words())
        add.add_argument("--organisation", metavar="SLUG", help=_("no hace falta cuando hay una sola organización"))
        remove = verbs.add_parser("remove", help=_("saca a una persona de una organización; la cuenta se queda"))
        remove.add_argument("user", metavar="NAME")
        remove.add_argument("--organisation", metavar="SLUG", help=_("no hace falta cuando hay una sola organización"))
        verbs.add_parser("list", help=_("un miembro por línea: nombre, papel, organización"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        if options["verb"] == "list":
            members = Membership.objects.order_by("user__username")
            for name, role, slug in members.values_list("user__username", "role", "organisation__slug"):
                self.stdout.write(f"{name}\t{role}\t{slug}")
            return
        user = self._user(options["user"])
        organisation = self._organisation(options["organisation"])
        said = {"user": user.username, "organisation": organisation.slug}
        if options["verb"] == "add":
            organisations.join(user, organisation, role=Membership.Role(options["role"]), actor=command_actor())
            self.stdout.write(f"{user.username}\t{options['role']}\t{organisation.slug}")
        elif organisations.leave(user, organisation, actor=command_actor()):
            self.stdout.write(_("%(user)s ya no está en %(organisation)s") % said)
        else:
            raise CommandError(_("%(user)s: no está en %(organisation)s: mira `croody member list`") % said)

    def _user(self, name: str) -> User:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(
                _("persona %(name)s: nadie se llama así: `croody login-link --user %(name)s --create` hace la cuenta") % {"name": name}
            )
        return user

    def _organisation(self, slug: str | None) -> Organisation:
        try:
            return organisations.organisation(slug)
        except organisations.BadOrganisation as error:
            raise CommandError(str(error)) from error
