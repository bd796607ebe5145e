"""People and their organisations; personal tokens and one-time logins, kept only as hashes; and who tries to come in."""

from django.conf import settings
from django.db import models


class Organisation(models.Model):
    """Owns robots and sites. Even the demo has one."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)

    class Meta:
        #: The name is older than the room: a version before this one finds its table.
        db_table = "fleet_organisation"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user in an organisation. What each role may do is a table in `fleet.access`."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        OPERATOR = "operator"
        MAINTAINER = "maintainer"
        OWNER = "owner"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        #: As above.
        db_table = "fleet_membership"
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="one_membership")]


class Token(models.Model):
    """A personal token for the HTTP API, shown once. `prefix` is what the person recognises it by."""

    class Scope(models.TextChoices):
        """What a token may be used for, within what its owner may do."""

        READ = "read"
        INGEST = "ingest"
        ACT = "act"
        MANAGE = "manage"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    prefix = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class OneTimeLogin(models.Model):
    """A link that logs its user in once, before it expires. Printed by `make up` and `croody login-link`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="one_time_logins")
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class ShownMail(models.Model):
    """A mail of the demo, which has no mail server: shown on a page. Only the newest few are kept, see `mail`."""

    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    at = models.DateTimeField(auto_now_add=True)


class Counted(models.Model):
    """One count of something that may be tried only so often, as Django's cache keeps it: every process sees the same one."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "croody_cache"


class Registering(models.Model):
    """One try to make an account, kept for the minutes in which it counts: see `throttle`."""

    address = models.GenericIPAddressField(db_index=True)
    at = models.DateTimeField(db_index=True)
