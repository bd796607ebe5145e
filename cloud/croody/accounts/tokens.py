"""Tokens by name: several personal ones for each person, and service tokens of an organisation, which stay when people go.

The one on the profile page without a name is `services`'. All are kept as hashes and shown once.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from croody.accounts import audit_trail
from croody.accounts.caller import Caller
from croody.accounts.models import Membership, Organisation, Token
from croody.accounts.services import MARK, PREFIX_CHARS, sha256_of, works
from croody.audit.actor import Actor
from croody.audit.services import record

#: So many work at once, of a person and of an organisation.
MOST: Final = 20


class TooMany(ValueError):
    """So many work already; says the remedy."""


class TooWide(ValueError):
    """A key asks for one that can more than itself or works longer; says the remedy."""


def personal(user: User, now: datetime) -> list[Token]:
    """A person's tokens that work now, the newest first; the one without a name is not among them."""
    return list(
        Token.objects.filter(works(now), user=user, organisation=None).exclude(name="").select_related("made_by").order_by("-pk")[:MOST]
    )


def of_organisation(organisation: Organisation, now: datetime) -> list[Token]:
    """An organisation's service tokens that work now, the newest first."""
    return list(
        Token.objects.filter(works(now), organisation=organisation).select_related("organisation", "made_by").order_by("-pk")[:MOST]
    )


def check_within(caller: Caller, scopes: Iterable[Token.Scope], days: int | None, now: datetime) -> None:
    """Hold a key to its own bounds when it makes another: one that leaks can so be neither widened nor outlived. A person has none.

    Raises:
        TooWide: the new one would do more, or work longer.
    """
    own = Token.objects.filter(pk=caller.token_id).first() if caller.token_id is not None else None
    if own is None:
        return
    more = sorted(set(scopes) - caller.scopes)
    if more:
        raise TooWide(
            _("scopes: %(more)s: esta clave no lo tiene y no lo puede dar: hazla en la página del perfil") % {"more": ", ".join(more)}
        )
    if own.expires_at is not None and (days is None or now + timedelta(days=days) > own.expires_at):
        said = {"days": days if days is not None else "null", "ends": own.expires_at.isoformat(timespec="minutes")}
        raise TooWide(_("days: %(days)s: esta clave termina el %(ends)s y no hace otra que dure más: elige menos días") % said)


def make_personal(
    user: User, name: str, *, scopes: Iterable[Token.Scope], days: int | None, now: datetime, actor: Actor
) -> tuple[Token, str]:
    """A new token of this person's, and its secret. It may never do more than they may.

    Args:
        days: it expires after so many; None, never.

    Raises:
        TooMany: `MOST` work already.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if len(personal(user, now)) >= MOST:
            raise TooMany(_("Ya tienes %(most)s claves: revoca alguna antes.") % {"most": MOST})
        made, secret = _make(now, days, name=name, scopes=sorted(scopes), user=user, made_by=user)
        audit_trail.note(user, actor, "make", "token", made.prefix, now, after=_told(made))
    return made, secret


def make_service(
    organisation: Organisation,
    name: str,
    *,
    role: Membership.Role,
    scopes: Iterable[Token.Scope],
    days: int | None,
    now: datetime,
    actor: Actor,
) -> tuple[Token, str]:
    """A new token that does in this organisation what `role` may, whoever made it. Arguments as of `make_personal`.

    Raises:
        TooMany: `MOST` work already.
    """
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        if len(of_organisation(organisation, now)) >= MOST:
            raise TooMany(_("Esta organización ya tiene %(most)s claves: revoca alguna antes.") % {"most": MOST})
        made, secret = _make(now, days, name=name, scopes=sorted(scopes), organisation=organisation, role=role, made_by_id=actor.user_id)
        record(actor, "make", "token", made.prefix, organisation_id=organisation.pk, after=_told(made), now=now)
    return made, secret


def revoke(token: Token, *, now: datetime, actor: Actor) -> bool:
    """Shut this token out. False when it was out already."""
    with transaction.atomic():
        if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            return False
        if token.user is not None:
            audit_trail.note(token.user, actor, "revoke", "token", token.prefix, now)
        else:
            record(actor, "revoke", "token", token.prefix, organisation_id=token.organisation_id, before=_told(token), now=now)
    return True


def _make(now: datetime, days: int | None, **values: object) -> tuple[Token, str]:
    secret = MARK + secrets.token_urlsafe(32)
    ends = now + timedelta(days=days) if days is not None else None
    made = Token.objects.create(prefix=secret[:PREFIX_CHARS], sha256=sha256_of(secret), expires_at=ends, **values)
    return made, secret


def _told(token: Token) -> dict[str, object]:
    ends = token.expires_at.isoformat() if token.expires_at else None
    return {"name": token.name, "scopes": list(token.scopes), "role": token.role, "expires_at": ends}
