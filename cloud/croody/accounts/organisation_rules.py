"""Who may do what in an organisation, to its people and tokens: one table. What may be done to its robots is `fleet.access`'s.

What one may not know of does not exist for one: that is 404. What one sees and may not do is 403.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.db.models import QuerySet

from croody.accounts.caller import Caller, Role, Scope
from croody.accounts.models import Organisation
from croody.web.refusals import Denied


class Affair(StrEnum):
    """What somebody may do in an organisation."""

    MEET = "meet"
    """Know of it, and who is in it."""
    LEAVE = "leave"
    """Go."""
    INVITE = "invite"
    """Let people in, and take an invitation back."""
    MEMBERS = "members"
    """Change what others may do, and take them out."""
    TOKENS = "tokens"
    """Its service tokens."""
    SETTINGS = "settings"
    """Its name, and whether it asks for a second factor."""


_EVERYBODY: Final = frozenset({Affair.MEET, Affair.LEAVE})
#: Role -> what it may do in its organisation.
ROLES: Final[Mapping[Role, frozenset[Affair]]] = {
    Role.VIEWER: _EVERYBODY,
    Role.OPERATOR: _EVERYBODY,
    Role.MAINTAINER: _EVERYBODY,
    Role.OWNER: frozenset(Affair),
}
#: What a token must have been made for; nobody leaves by one, or lets others in.
SCOPES: Final[Mapping[Affair, Scope]] = {Affair.MEET: Scope.READ, Affair.TOKENS: Scope.MANAGE}


def may(caller: Caller, affair: Affair, organisation_id: int) -> bool:
    """Say whether the caller may do this in this organisation. Pure."""
    if caller.kind == "token" and SCOPES.get(affair) not in caller.scopes:
        return False
    if caller.superuser:
        return affair is not Affair.LEAVE or organisation_id in dict(caller.roles)
    role = dict(caller.roles).get(organisation_id)
    return role is not None and affair in ROLES[role]


def organisations(caller: Caller) -> QuerySet[Organisation]:
    """Those that the caller may know of, by name."""
    found = Organisation.objects.order_by("name", "slug")
    return found if caller.superuser else found.filter(pk__in=[pk for pk, _role in caller.roles if may(caller, Affair.MEET, pk)])


def need(caller: Caller, affair: Affair, slug: str) -> Organisation:
    """The organisation, when the caller may do this there.

    Raises:
        Denied: 404, they may not know of it, or there is none; 403, they are in it and may not.
    """
    found = organisations(caller).filter(slug=slug).first()
    if found is None:
        raise Denied(404, f"organisation: there is no {slug[:64]!r} that you may see")
    if not may(caller, affair, found.pk):
        raise Denied(403, f"organisation: you are in {slug}, but only its owners may do this")
    return found
