"""Organisations and who is in them: every write to both. Knows people, never robots."""

from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from croody.accounts.models import Membership, Organisation
from croody.audit.actor import SYSTEM, Actor
from croody.audit.services import record

_SLUG_CHARS: Final = 50


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


def make(name: str, owner: User, *, now: datetime, actor: Actor) -> Organisation:
    """A new one, owned by this person. Its slug is made of its name and never changes."""
    with transaction.atomic():
        # A name in another script leaves nothing of itself.
        base = slugify(name)[: _SLUG_CHARS - 8].strip("-") or "equipo"
        taken = set(Organisation.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        slug = next(slug for slug in (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))) if slug not in taken)
        made = Organisation.objects.create(name=name, slug=slug)
        record(actor, "add", "organisation", slug, organisation_id=made.pk, after={"name": name}, now=now)
        join(owner, made, role=Membership.Role.OWNER, now=now, actor=actor)
    return made


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
