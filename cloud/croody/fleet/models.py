"""Who owns which robot, where it works, what lets it in, and what the cloud wants of it."""

from django.conf import settings
from django.db import models


class Organisation(models.Model):
    """Owns robots and sites. Even the demo has one."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user in an organisation. `viewer` sees, `operator` also acts, `owner` also invites."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        OPERATOR = "operator"
        OWNER = "owner"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="one_membership")]


class Site(models.Model):
    """A place with a plan in metres (see `croody_edge.sim` for the demo's) and, where it is known, an origin on Earth."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(max_length=120)
    slug = models.SlugField()
    plan = models.JSONField(default=dict)
    origin_lat = models.FloatField(null=True)
    origin_lng = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "slug"], name="one_site_slug")]

    def __str__(self) -> str:
        return self.name


class Robot(models.Model):
    """A robot. Its id is the key everywhere: topics, readings, alarms. `shared` puts it on the public monitor."""

    robot_id = models.CharField(max_length=64, primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="robots")
    site = models.ForeignKey(Site, on_delete=models.SET_NULL, null=True, blank=True, related_name="robots")
    kind = models.CharField(max_length=32, default="robot")
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.robot_id


class Credential(models.Model):
    """A robot's secret, only ever hashed: `mqtt_hash` in Mosquitto's format, `sha256` (hex) for the HTTP API."""

    robot = models.OneToOneField(Robot, on_delete=models.CASCADE, related_name="credential")
    mqtt_hash = models.CharField(max_length=256)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)


class Outgoing(models.Model):
    """What the cloud wants to say to a robot: sent again, later each time, until it answers or the row expires."""

    robot = models.ForeignKey(Robot, on_delete=models.CASCADE, related_name="outgoing")
    kind = models.CharField(max_length=32)
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    next_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answer_state = models.CharField(max_length=16, blank=True)
    answer_detail = models.CharField(max_length=1024, blank=True)


class Listening(models.Model):
    """One row: since when, and until when, some bridge heard the broker without a break. Silence counts only then."""

    ONLY = 1

    since = models.DateTimeField()
    at = models.DateTimeField()
