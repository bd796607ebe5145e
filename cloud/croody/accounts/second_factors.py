"""Who has a second factor, and letting it go. Only where people sign in: the API roles have no such table."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction

from croody.accounts import audit_trail
from croody.audit.actor import Actor


def has_one(user_id: int) -> bool:
    """Say whether this person shows more than a password; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user_id=user_id, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]).exists())


def forget(user: User, *, now: datetime, actor: Actor) -> int:
    """Take every factor and recovery code away: for who lost them all. Says how many there were."""
    with transaction.atomic():
        count = int(Authenticator.objects.filter(user=user).delete()[0])
        if count:
            audit_trail.note(user, actor, "forget", "second_factor", user.get_username(), now, after={"count": count})
    return count
