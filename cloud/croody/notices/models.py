"""Rules with what they remember of robots, channels to people, and what went through those."""

import hashlib

from django.conf import settings
from django.db import models

from croody.accounts.models import Organisation
from croody.alarms.models import Alarm
from croody.fleet.models import Site


class _Standing(models.Manager["Rule"]):
    """Rules that nobody deleted."""

    def get_queryset(self) -> models.QuerySet["Rule"]:
        return super().get_queryset().filter(deleted_at=None)


class Rule(models.Model):
    """What raises an alarm of an organisation's robots: all of them, those of a site, or one."""

    class Kind(models.TextChoices):
        THRESHOLD = "threshold"
        ABSENCE = "absence"
        RATE = "rate"
        EXPRESSION = "expression"
        FENCE = "fence"

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    #: As `spec.read` takes them.
    params = models.JSONField(default=dict)
    severity = models.CharField(max_length=16, choices=Alarm.Severity.choices)
    #: How long the condition must hold, in seconds.
    for_s = models.PositiveIntegerField(default=0)
    site = models.ForeignKey(Site, null=True, on_delete=models.SET_NULL, related_name="+")
    robot_id = models.CharField(max_length=64, blank=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    by_name = models.CharField(max_length=150)
    #: When it was looked at last, and of how many robots it could say anything then.
    judged_at = models.DateTimeField(null=True)
    judged = models.PositiveIntegerField(default=0)
    #: Deleted rules are kept for a while, so that they can be brought back: see `services.KEPT`.
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.CharField(max_length=150, blank=True, default="", db_default="")

    every = models.Manager["Rule"]()
    objects = _Standing()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "id"]),
            models.Index(fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="rule_that_was_deleted"),
        ]


class RuleState(models.Model):
    """What a rule remembers of a robot, while there is anything to remember."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="states")
    robot_id = models.CharField(max_length=64)
    since = models.DateTimeField(null=True)
    firing = models.BooleanField(default=False)
    #: Where a change is measured from.
    anchor_at = models.DateTimeField(null=True)
    anchor = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "robot_id"], name="one_state_a_rule_and_robot")]


class Channel(models.Model):
    """Where an organisation's alarms are told: by e-mail, to a webhook, or to a messenger.

    `after_min`: only what nobody has acknowledged for so long: a second channel is an escalation. In quiet hours only what is critical
    goes. One of a `person` is theirs alone: it goes to their own confirmed address, or to their browsers, as long as they may see the
    alarms.
    """

    class Kind(models.TextChoices):
        MAIL = "mail"
        WEBHOOK = "webhook"
        APPRISE = "apprise"
        PUSH = "push"
        """The browsers of its person."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    #: Addresses of people, one a line; or the address of the receiver, which may hold a token: shown masked.
    target = models.TextField()
    #: With which a webhook is signed; shown once.
    secret = models.CharField(max_length=64, blank=True)
    severity = models.CharField(max_length=16, choices=Alarm.Severity.choices)
    after_min = models.PositiveIntegerField(default=0)
    #: `22:00`, in `time_zone`; both empty: none.
    quiet_from = models.CharField(max_length=5, blank=True)
    quiet_to = models.CharField(max_length=5, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=8, default="es")
    #: Whether it is told, too, that an alarm which went through it is over.
    tells_end = models.BooleanField(default=False, db_default=False)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    by_name = models.CharField(max_length=150)

    class Meta:
        indexes = [models.Index(fields=["organisation", "id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "person", "kind"],
                condition=models.Q(person__isnull=False),
                name="one_channel_a_person_kind_and_team",
            )
        ]


class Notice(models.Model):
    """One alarm through one channel, that it is over, or a test of the channel: what became of it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"
        """Refused for good, or tried often enough."""
        HELD = "held"
        """More than a channel carries in an hour."""
        NEEDLESS = "needless"
        """The alarm was over, or somebody had it, before it could be told; of its end, it was open again."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="notices")
    #: None: a test. No constraint: alarms go in their own time.
    alarm = models.ForeignKey(Alarm, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    #: It tells that the alarm is over.
    over = models.BooleanField(default=False, db_default=False)
    status = models.CharField(max_length=16, choices=Status.choices)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    #: What the receiver or the network said.
    answer = models.CharField(max_length=300, blank=True)
    #: Of mail to several: which addresses have it, each on its line. The others are tried again.
    reached = models.TextField(blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "alarm", "over"], name="one_notice_an_alarm_and_end")]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(status="pending"), name="notice_pending"),
            models.Index(fields=["channel", "-id"], name="notice_of_channel"),
            models.Index(fields=["created_at"], name="notice_by_age"),
        ]


class Browser(models.Model):
    """A browser that lets this site show notices to whoever subscribed it: where its push service is, and its keys (RFC 8291)."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    #: A stranger's address. Whoever knows it and our key may write to the browser, so nobody is shown it.
    endpoint = models.CharField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    #: `Firefox, Linux`, as it calls itself.
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    #: When its push service took a notice last.
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["person", "id"])]

    @property
    def mark(self) -> str:
        """By which a browser knows itself in the list; the address itself is shown to nobody."""
        return hashlib.sha256(self.endpoint.encode()).hexdigest()


class PushKey(models.Model):
    """The one key by which push services know this site. It goes with the browsers that were subscribed to it, in the same database."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    #: The private one, base64url.
    value = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_push_key")]
