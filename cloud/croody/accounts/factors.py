"""Who has a second factor. Only where people sign in: the API roles have no such table."""

from allauth.mfa.models import Authenticator


def has_one(user_id: int) -> bool:
    """Say whether this person shows more than a password; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user_id=user_id, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]).exists())
