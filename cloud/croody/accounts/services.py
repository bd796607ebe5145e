"""Every write to accounts. Knows tokens and one-time logins, never HTTP. Secrets leave this module once and are kept as hashes."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from croody.accounts import audit_trail
from croody.accounts.models import OneTimeLogin, Token
from croody.audit.actor import SYSTEM, Actor

#: Tells a Croody token from others at a glance, and lets secret scanners find a leaked one.
MARK: Final = "crd_"
#: What a token shows of itself.
PREFIX_CHARS: Final = 12
_USED_EVERY: Final = timedelta(minutes=1)
LOGIN_LASTS: Final = timedelta(hours=1)


def sha256_of(secret: str) -> str:
    """How a secret is kept. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def reset_token(user: User, *, scopes: Iterable[Token.Scope] = Token.Scope, now: datetime | None = None, actor: Actor = SYSTEM) -> str:
    """A new personal token, the one without a name; the one before stops working. Returned here and never again.

    Args:
        user: its owner; it may never do more than they may.
        scopes: what it is for; everything, unless somebody says less.
        now: when the one before stops.
        actor: who asks for it.
    """
    now, wanted = now or timezone.now(), sorted(scopes)
    token = MARK + secrets.token_urlsafe(32)
    with transaction.atomic():
        Token.objects.filter(user=user, name="", revoked_at=None).update(revoked_at=now)
        Token.objects.create(user=user, made_by=user, prefix=token[:PREFIX_CHARS], sha256=sha256_of(token), scopes=wanted)
        audit_trail.note(user, actor, "make", "token", token[:PREFIX_CHARS], now, after={"scopes": wanted})
    return token


def revoke_token(user: User, *, now: datetime | None = None, actor: Actor = SYSTEM) -> bool:
    """Shut the personal token out. Says whether there was one."""
    now = now or timezone.now()
    with transaction.atomic():
        token = token_of(user)
        if token is None or not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            return False
        audit_trail.note(user, actor, "revoke", "token", token.prefix, now)
    return True


def token_of(user: User) -> Token | None:
    """The personal token without a name that works now, without its secret."""
    return Token.objects.filter(user=user, name="", revoked_at=None).first()


def works(now: datetime) -> Q:
    """Of a token that is neither revoked nor past its time."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def token_of_secret(secret: str, *, now: datetime | None = None) -> Token | None:
    """The token of this secret with its owner, None for nobody's. Notes the use, at most once a minute."""
    if not secret.startswith(MARK):
        return None
    now = now or timezone.now()
    found = Token.objects.select_related("user").filter(works(now), sha256=sha256_of(secret)).first()
    if found is None or (found.user is not None and not found.user.is_active):
        return None
    if found.last_used_at is None or now - found.last_used_at > _USED_EVERY:
        Token.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def make_login_link(user: User, *, lasts: timedelta = LOGIN_LASTS, now: datetime | None = None, actor: Actor = SYSTEM) -> str:
    """The path of a page that logs `user` in once, before it expires. Returned here and never again."""
    token = secrets.token_urlsafe(32)
    now = now or timezone.now()
    with transaction.atomic():
        OneTimeLogin.objects.create(user=user, sha256=sha256_of(token), expires_at=now + lasts)
        audit_trail.note(user, actor, "make", "login_link", user.get_username(), now, after={"expires_at": (now + lasts).isoformat()})
    return f"/cuenta/entrar/{token}/"


def login_waits(token: str, *, now: datetime | None = None) -> bool:
    """Say whether this one-time login can still be used, without using it."""
    return OneTimeLogin.objects.filter(
        sha256=sha256_of(token), used_at=None, expires_at__gt=now or timezone.now(), user__is_active=True
    ).exists()


def use_login(token: str, *, now: datetime | None = None) -> User | None:
    """Use a one-time login up. None when it is unknown, used or too old; of two at once one wins."""
    now = now or timezone.now()
    digest = sha256_of(token)
    login = OneTimeLogin.objects.select_related("user").filter(sha256=digest, user__is_active=True).first()
    # The condition names only columns of the row itself: through a join PostgreSQL would not look again after waiting for the winner.
    if login is None or not OneTimeLogin.objects.filter(pk=login.pk, used_at=None, expires_at__gt=now).update(used_at=now):
        return None
    return login.user
