"""Who is in an organisation, as its owners change it: an organisation keeps an owner. Whoever runs the server is not held to that."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from croody.accounts import organisations
from croody.accounts.models import Membership, Organisation
from croody.audit.actor import Actor

Role = Membership.Role


class LastOwner(ValueError):
    """The organisation would be without an owner; says the remedy."""


class NoMember(ValueError):
    """They are not in it, or no more."""


def change_role(user: User, organisation: Organisation, role: Role, *, now: datetime, actor: Actor) -> None:
    """Let a member do more or less from now on.

    Raises:
        NoMember: they are not in it.
        LastOwner: they are its only owner.
    """
    with transaction.atomic():
        _held(user, organisation, keeps_owner=role == Role.OWNER)
        organisations.join(user, organisation, role=role, now=now, actor=actor)


def remove(user: User, organisation: Organisation, *, now: datetime, actor: Actor) -> None:
    """Take a member out, oneself too. Their account stays, and what they did keeps their name.

    Raises:
        NoMember: they are not in it.
        LastOwner: they are its only owner.
    """
    with transaction.atomic():
        _held(user, organisation, keeps_owner=False)
        organisations.leave(user, organisation, now=now, actor=actor)


def _held(user: User, organisation: Organisation, *, keeps_owner: bool) -> None:
    """Hold the organisation, so that of two owners who go at once one stays."""
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    roles = dict(Membership.objects.filter(organisation=organisation).values_list("user_id", "role"))
    if user.pk not in roles:
        raise NoMember(_("%(name)s no está en esta organización.") % {"name": user.get_username()})
    others = [pk for pk, role in roles.items() if role == Role.OWNER and pk != user.pk]
    if roles[user.pk] == Role.OWNER and not keeps_owner and not others:
        raise LastOwner(
            _("%(name)s es la única persona que administra %(organisation)s: deja que otra administre antes.")
            % {"name": user.get_username(), "organisation": organisation.name}
        )
