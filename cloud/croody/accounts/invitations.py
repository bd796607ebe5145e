"""Invitations into an organisation: a link that lets one person in, once, before it expires. Kept as a hash; mailed where mail is sent."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from croody.accounts import organisations
from croody.accounts.models import Invitation, Membership, Organisation
from croody.accounts.services import sha256_of
from croody.audit.actor import Actor
from croody.audit.services import record

Role = Membership.Role
LASTS: Final = timedelta(days=7)
#: So many wait at once in an organisation.
MOST: Final = 50


class TooMany(ValueError):
    """So many wait already; says the remedy."""


class AlreadyIn(ValueError):
    """Who would use it up is in the organisation."""


def waiting(now: datetime) -> QuerySet[Invitation]:
    """Those that still let somebody in."""
    return Invitation.objects.select_related("organisation").filter(used_at=None, revoked_at=None, expires_at__gt=now)


def invite(organisation: Organisation, *, role: Role, email: str, now: datetime, actor: Actor) -> tuple[Invitation, str]:
    """A new invitation and its secret, which is returned here and never again.

    Args:
        email: for whom it is meant; empty for whoever gets the link. The link works for its bearer, whatever their address.

    Raises:
        TooMany: `MOST` wait already.
    """
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        if waiting(now).filter(organisation=organisation).count() >= MOST:
            raise TooMany(_("Ya esperan %(most)s invitaciones: anula alguna antes.") % {"most": MOST})
        made = Invitation.objects.create(
            organisation=organisation, role=role, email=email, sha256=sha256_of(secret), made_by_id=actor.user_id, expires_at=now + LASTS
        )
        told = {"email": email, "role": str(role), "expires_at": made.expires_at.isoformat()}
        record(actor, "invite", "invitation", str(made.pk), organisation_id=organisation.pk, after=told, now=now)
    return made, secret


def revoke(invitation: Invitation, *, now: datetime, actor: Actor) -> bool:
    """Let nobody in by it any more. False when it was over already."""
    with transaction.atomic():
        if not Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None).update(revoked_at=now):
            return False
        told = {"email": invitation.email, "role": invitation.role}
        record(actor, "revoke", "invitation", str(invitation.pk), organisation_id=invitation.organisation_id, before=told, now=now)
    return True


def accept(digest: str, user: User, *, now: datetime, actor: Actor) -> Organisation | None:
    """Let this person in, and use the invitation up. None when it is unknown or over; of two at once one wins.

    Raises:
        AlreadyIn: they are in the organisation; the invitation stays for somebody else.
    """
    with transaction.atomic():
        found = waiting(now).filter(sha256=digest).first()
        if found is None:
            return None
        if Membership.objects.filter(user=user, organisation=found.organisation).exists():
            raise AlreadyIn(_("Ya estás en %(name)s.") % {"name": found.organisation.name})
        # Only columns of the row itself: PostgreSQL looks at them again after waiting for the winner.
        unused = Q(pk=found.pk, used_at=None, revoked_at=None, expires_at__gt=now)
        if not Invitation.objects.filter(unused).update(used_at=now, used_by=user):
            return None
        organisations.join(user, found.organisation, role=Role(found.role), now=now, actor=actor)
    return found.organisation
