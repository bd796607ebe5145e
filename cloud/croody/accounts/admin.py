"""Organisations, who is in them, and what opens them, on the admin site. No hash of a secret is shown; users are Django's own page."""

from django.contrib import admin

from croody.accounts.models import Invitation, Membership, Organisation, SignIn, Token
from croody.web.read_only import ReadOnly


@admin.register(Organisation)
class Organisations(ReadOnly):
    """Who owns robots."""

    list_display = ("name", "slug", "asks_second_factor")
    search_fields = ("name", "slug")


@admin.register(Membership)
class Memberships(ReadOnly):
    """Who is in what, as what."""

    list_display = ("user", "organisation", "role")
    list_select_related = ("user", "organisation")
    search_fields = ("user__username", "organisation__slug")


@admin.register(Token)
class Tokens(ReadOnly):
    """What programs come in with."""

    list_display = ("prefix", "name", "user", "organisation", "role", "scopes", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user", "organisation")
    search_fields = ("prefix", "name", "user__username")
    exclude = ("sha256",)


@admin.register(Invitation)
class Invitations(ReadOnly):
    """Who was asked in."""

    list_display = ("email", "organisation", "role", "made_by", "expires_at", "used_by", "used_at", "revoked_at")
    list_select_related = ("organisation", "made_by", "used_by")
    exclude = ("sha256",)


@admin.register(SignIn)
class SignIns(ReadOnly):
    """Who is signed in from where."""

    list_display = ("user", "address", "agent", "at", "seen_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    exclude = ("session_key",)
