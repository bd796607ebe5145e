"""People and their organisations; personal tokens and one-time logins, kept only as hashes; and who tries to come in."""

from django.conf import settings
from django.db import models


class Organisation(models.Model):
    """Owns robots and sites. Even the demo has one."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    #: Who has no second factor is, as long as that is so, no member.
    asks_second_factor = models.BooleanField(default=False)

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
    """A token for the HTTP API, shown once: of a person, or of an organisation, in which it has a role of its own.

    `prefix` is what people recognise it by. Of a person's tokens one has no name: the one that the profile page makes anew.
    """

    class Scope(models.TextChoices):
        """What a token may be used for, within what its owner may do."""

        READ = "read"
        INGEST = "ingest"
        ACT = "act"
        MANAGE = "manage"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens", null=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="tokens", null=True)
    role = models.CharField(max_length=16, choices=Membership.Role.choices, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)
    name = models.CharField(max_length=80, blank=True)
    prefix = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="token_of_a_person_or_an_organisation",
                condition=models.Q(user__isnull=False, organisation__isnull=True, role="")
                | models.Q(user__isnull=True, organisation__isnull=False),
            )
        ]


class Invitation(models.Model):
    """A link that lets one person into an organisation, once, before it expires. `email`: for whom it is meant."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Membership.Role.choices)
    email = models.CharField(max_length=254, blank=True)
    sha256 = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)
    revoked_at = models.DateTimeField(null=True)


class OneTimeLogin(models.Model):
    """A link that logs its user in once, before it expires. Printed by `make up` and `croody login-link`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="one_time_logins")
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class SignIn(models.Model):
    """Where somebody is signed in: which session, by the hash under which it is kept, from where, since when. See `sign_ins`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200)
    at = models.DateTimeField()
    seen_at = models.DateTimeField()


class Preferences(models.Model):
    """What somebody likes to see; what is empty is as the browser has it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences", primary_key=True)
    language = models.CharField(max_length=2, blank=True)
    theme = models.CharField(max_length=5, blank=True)
    zone = models.CharField(max_length=64, blank=True)
    #: As `web.units` writes them; empty, and as a version before this one leaves it: SI.
    units = models.CharField(max_length=16, blank=True, default="", db_default="")


class ProfilePicture(models.Model):
    """Somebody's picture, made anew from what they uploaded. `digest`: of the file, in its address."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="picture", primary_key=True)
    digest = models.CharField(max_length=64)
    webp = models.BinaryField()
    at = models.DateTimeField()


class ShownMail(models.Model):
    """A mail of the demo, which has no mail server: shown on a page. Only the newest few are kept, see `mailer`."""

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
