"""Organisations and who is in them: every write to both. Knows people, never robots."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.models import Membership, Organisation
from croody.audit.actor import SYSTEM, Actor
from croody.audit.services import record


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


def join(user: User, organisation: Organisation, *, role: Membership.Role, now: datetime | None = None, actor: Actor = SYSTEM) -> None:
    """Put a person into an organisation; one who is there already has this role from now on."""
    with transaction.atomic():
        held = Membership.objects.filter(user=user, organisation=organisation).values_list("role", flat=True).first()
        if held == role:
            return
        Membership.objects.update_or_create(user=user, organisation=organisation, defaults={"role": role})
        record(
            actor,
            "change_role" if held else "add",
            "member",
            user.get_username(),
            organisation_id=organisation.pk,
            before={"role": str(held)} if held else None,
            after={"role": str(role)},
            now=now or timezone.now(),
        )


def leave(user: User, organisation: Organisation, *, now: datetime | None = None, actor: Actor = SYSTEM) -> bool:
    """Take a person out of an organisation. False when they were not in it."""
    with transaction.atomic():
        held = Membership.objects.filter(user=user, organisation=organisation).values_list("role", flat=True).first()
        if held is None or not Membership.objects.filter(user=user, organisation=organisation).delete()[0]:
            return False
        name, at = user.get_username(), now or timezone.now()
        record(actor, "remove", "member", name, organisation_id=organisation.pk, before={"role": str(held)}, now=at)
    return True
