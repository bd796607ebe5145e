"""`croody member add|remove|list`: who belongs to which organisation, and sees its robots. Knows no password."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from croody.accounts import organisations
from croody.accounts.models import Membership, Organisation
from croody.fleet import access


class Command(BaseCommand):
    """People by hand."""

    # Django would import every page of the site to check it: not this command's business.
    requires_system_checks = ()
    help = "add lets a person see an organisation's robots; remove ends that; list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="put a person into an organisation, or change what they may do there")
        add.add_argument("user", metavar="NAME", help="of the account, which exists already")
        add.add_argument("--role", choices=Membership.Role.values, default=Membership.Role.VIEWER.value, help=access.roles_in_words())
        add.add_argument("--organisation", metavar="SLUG", help="not needed while there is one organisation")
        remove = verbs.add_parser("remove", help="take a person out of an organisation; the account stays")
        remove.add_argument("user", metavar="NAME")
        remove.add_argument("--organisation", metavar="SLUG", help="not needed while there is one organisation")
        verbs.add_parser("list", help="one member a line: name, role, organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        if options["verb"] == "list":
            members = Membership.objects.order_by("user__username")
            for name, role, slug in members.values_list("user__username", "role", "organisation__slug"):
                self.stdout.write(f"{name}\t{role}\t{slug}")
            return
        user = self._user(options["user"])
        organisation = self._organisation(options["organisation"])
        if options["verb"] == "add":
            organisations.join(user, organisation, role=Membership.Role(options["role"]))
            self.stdout.write(f"{user.username}\t{options['role']}\t{organisation.slug}")
        elif organisations.leave(user, organisation):
            self.stdout.write(f"{user.username} removed from {organisation.slug}")
        else:
            raise CommandError(f"{user.username}: is not in {organisation.slug}: see `croody member list`")

    def _user(self, name: str) -> User:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"user {name}: nobody has this name: `croody login-link --user {name} --create` makes the account")
        return user

    def _organisation(self, slug: str | None) -> Organisation:
        try:
            return organisations.organisation(slug)
        except organisations.BadOrganisation as error:
            raise CommandError(str(error)) from error
