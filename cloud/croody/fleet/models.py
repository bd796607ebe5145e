"""Who owns which robot, where it works, and what lets it in."""

from django.db import models

from croody.accounts.models import Organisation


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
    #: Since when it is there again after it was revoked: what was heard before is an earlier robot's of this name.
    returned_at = models.DateTimeField(null=True, blank=True)
    #: Made for a simulator that keeps no credentials: once it is silent nobody can ever speak for it again.
    borrowed = models.BooleanField(default=False, db_default=False)
    #: What its team calls it; the id never changes.
    label = models.CharField(max_length=80, blank=True, default="", db_default="")
    #: Words that its team finds it by, in their order. Null, as a version before this one leaves it: none.
    tags = models.JSONField(null=True, blank=True, default=list)
    #: What whoever works with it next should know.
    notes = models.TextField(blank=True, default="", db_default="")
    #: Somebody is at work on it until then, by their name, and why. Past its end it counts no more.
    maintenance_until = models.DateTimeField(null=True, blank=True)
    maintenance_since = models.DateTimeField(null=True, blank=True)
    maintenance_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    maintenance_reason = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        # Those that are there, among any number of retired ones, and those few that came back.
        indexes = [
            models.Index(fields=["robot_id"], condition=models.Q(deleted_at=None), name="robot_that_is_there"),
            models.Index(fields=["organisation"], condition=models.Q(deleted_at=None), name="robot_of_team"),
            models.Index(fields=["robot_id"], condition=models.Q(returned_at__isnull=False), name="robot_that_came_back"),
            models.Index(fields=["robot_id"], condition=models.Q(borrowed=True, deleted_at=None), name="robot_that_is_borrowed"),
            models.Index(fields=["maintenance_until"], condition=models.Q(maintenance_until__isnull=False), name="robot_in_maintenance"),
        ]

    def __str__(self) -> str:
        return self.robot_id


class Credential(models.Model):
    """A robot's secret, only ever hashed: `mqtt_hash` in Mosquitto's format, `sha256` (hex) for the HTTP API."""

    robot = models.OneToOneField(Robot, on_delete=models.CASCADE, related_name="credential")
    mqtt_hash = models.CharField(max_length=256)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)


class Vehicle(models.Model):
    """A robot that speaks VDA 5050 by itself: the branch of the broker's topics that its account is bound to, and it alone."""

    robot = models.OneToOneField(Robot, on_delete=models.CASCADE, primary_key=True, related_name="vehicle")
    interface = models.CharField(max_length=64)
    manufacturer = models.CharField(max_length=128)
    serial = models.CharField(max_length=128)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["manufacturer", "serial"], name="one_robot_a_vehicle")]

    def __str__(self) -> str:
        return f"{self.manufacturer}/{self.serial}"


class NextCredential(models.Model):
    """A secret that a robot made because it was asked to, and has not come in by yet: the one in `Credential` dies when it does.

    Meanwhile the broker's files hold this one, and the HTTP API takes both. `outgoing` is the row of the command that it answered.
    """

    robot = models.OneToOneField(Robot, on_delete=models.CASCADE, related_name="next_credential")
    mqtt_hash = models.CharField(max_length=256)
    sha256 = models.CharField(max_length=64, unique=True)
    outgoing = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)


class Claim(models.Model):
    """A one-time word with which a board comes by a secret of its own: for `robot`, or for `most` robots of a `group` that it makes.

    The word itself is kept as a hash. `authority` (PEM) is what the board has to trust, asked for by its fingerprint.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="claims")
    robot = models.ForeignKey(Robot, on_delete=models.CASCADE, null=True, related_name="claims")
    group = models.CharField(max_length=32, blank=True, default="")
    #: Which serials of a group come in: `#` a digit, `@` a letter, `*` at the end whatever follows.
    serials = models.CharField(max_length=40, blank=True, default="")
    most = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=32, default="robot")
    site = models.ForeignKey(Site, on_delete=models.SET_NULL, null=True, related_name="claims")
    authority = models.TextField(blank=True, default="")
    fingerprint = models.CharField(max_length=43, blank=True, default="", db_index=True)
    made_by = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["robot", "-id"], name="claims_of_robot")]

    def __str__(self) -> str:
        return self.robot_id or f"@{self.group}"


class Enrolment(models.Model):
    """A board that came in by a claim: as which robot, and with which secret, hashed."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="enrolments")
    robot = models.ForeignKey(Robot, on_delete=models.CASCADE, related_name="enrolments")
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claim", "robot"], name="one_board_a_claim_and_robot")]
