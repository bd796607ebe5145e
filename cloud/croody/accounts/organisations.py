"""Organisations and who is in them: every write to both. Knows people, never robots."""

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from croody.accounts.models import Membership, Organisation


class BadOrganisation(ValueError):
    """An organisation that cannot be told; names the value and the remedy."""


def organisation(slug: str | None) -> Organisation:
    """The one of this name; without a name the only one there is, made when there is none yet.

    Raises:
        BadOrganisation: none has this name, or there are several to choose from.
    """
    found = list(Organisation.objects.filter(**({"slug": slug} if slug else {}))[:2])
    if len(found) == 1:
        return found[0]
    if not found and slug is None:
        return Organisation.objects.create(name="Croody", slug="croody")
    known = ", ".join(Organisation.objects.values_list("slug", flat=True)) or _("ninguna todavía: no pongas --organisation")
    raise BadOrganisation(
        _("organización %(slug)s: usa --organisation con una de: %(known)s") % {"slug": slug or _("(sin decir)"), "known": known}
    )


def join(user: User, organisation: Organisation, *, role: Membership.Role) -> None:
    """Put a person into an organisation; one who is there already has this role from now on."""
    Membership.objects.update_or_create(user=user, organisation=organisation, defaults={"role": role})


def leave(user: User, organisation: Organisation) -> bool:
    """Take a person out of an organisation. False when they were not in it."""
    return Membership.objects.filter(user=user, organisation=organisation).delete()[0] > 0
