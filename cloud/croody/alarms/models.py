"""Everything that needs a person, what persons did about it, and what they said is no alarm."""

from django.conf import settings
from django.db import models

from croody.accounts.models import Organisation


class Suppression(models.Model):
    """A false alarm, said by a person: until it expires, alarms like it are counted here and not shown. Never changed but by its hits.

    `robot_id` is empty for all robots of the organisation. `key` counts in the narrowest scope alone.
    """

    class Scope(models.TextChoices):
        CAUSE = "cause"
        """This robot, kind and key."""
        ROBOT = "robot"
        """This robot and kind."""
        TEAM = "team"
        """This kind at any robot of the organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=8, choices=Scope.choices)
    robot_id = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    #: Who said so; the name stays when the account is gone.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, db_constraint=False, related_name="+")
    by_name = models.CharField(max_length=150)
    #: Alarms that it held back, and when the last one was.
    hits = models.PositiveIntegerField(default=0)
    last_hit_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "expires_at"]), models.Index(fields=["organisation", "expires_at"])]


class Alarm(models.Model):
    """Open while its cause holds. The same cause (`robot_id`, `kind`, `key`) folds into one open row with a count.

    Many robots of one organisation with one cause in a minute are one alarm: a row of no robot, of which theirs are `parts`.
    """

    class Severity(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"
        CRITICAL = "critical"

    robot_id = models.CharField(max_length=64, db_index=True)
    #: As long as a robot's own code may be: cut, two codes would be one alarm.
    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=160, blank=True)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    detail = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    resolved_at = models.DateTimeField(null=True, blank=True)
    #: Whose robots, for a row of many robots.
    organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    #: The row of many robots that this one belongs to. No constraint: each is deleted in its own time.
    part_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="parts")

    #: What persons did: `revision` goes up with every act but a comment, so that who acts on an older picture is told.
    revision = models.PositiveIntegerField(default=0, db_default=0)
    acknowledged_at = models.DateTimeField(null=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    #: Out of sight until then, or until it gets worse.
    snoozed_until = models.DateTimeField(null=True)
    #: Closed as a false alarm.
    false = models.BooleanField(default=False, db_default=False)
    #: What holds it back. It goes on as any other, and is seen when that expires before it ends.
    suppressed_by = models.ForeignKey(Suppression, null=True, db_index=False, on_delete=models.SET_NULL, related_name="held")
    #: When it was last noted that it waits: snoozed, held back, or of a robot in maintenance. To the hour.
    waited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["robot_id", "kind", "key"], condition=models.Q(resolved_at=None), name="one_open_alarm_a_cause")
        ]
        indexes = [
            models.Index(fields=["-opened_at"]),
            # What a robot has opened since yesterday.
            models.Index(fields=["robot_id", "opened_at"], name="alarm_of_robot"),
            # Those that are over, by when, of all robots and of one: what a list goes on with, and what is let go of.
            models.Index(fields=["-resolved_at", "-opened_at", "-id"], condition=models.Q(resolved_at__isnull=False), name="alarm_over"),
            models.Index(
                fields=["robot_id", "-resolved_at", "-opened_at", "-id"],
                condition=models.Q(resolved_at__isnull=False),
                name="alarm_over_of_robot",
            ),
            # Of those few alone: one of all would lead whoever looks for the others through everything there ever was.
            models.Index(fields=["suppressed_by"], condition=models.Q(suppressed_by__isnull=False), name="alarm_held_back"),
            models.Index(fields=["last_at"], condition=models.Q(resolved_at=None), name="open_alarm_by_news"),
            # What is open, oldest first, of all robots and of one, among any number of alarms that are over.
            models.Index(fields=["opened_at"], condition=models.Q(resolved_at=None), name="open_alarm_by_age"),
            models.Index(fields=["robot_id", "opened_at"], condition=models.Q(resolved_at=None), name="open_alarm_of_robot"),
            # What jobs look for among any number of alarms that are over.
            models.Index(fields=["kind", "id"], condition=models.Q(resolved_at=None), name="open_alarm_by_kind"),
            # What came in the last minute with one cause, among any number of other alarms.
            models.Index(fields=["kind", "opened_at"], condition=models.Q(part_of=None), name="single_alarm_by_kind"),
        ]


class Act(models.Model):
    """One thing that a person did to an alarm: its history, and what it takes to undo it. Bounded: see `acts.MOST`."""

    class Verb(models.TextChoices):
        ACKNOWLEDGE = "acknowledge"
        ASSIGN = "assign"
        SNOOZE = "snooze"
        CLOSE = "close"
        FALSE = "false"
        COMMENT = "comment"
        REOPEN = "reopen"

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="acts")
    verb = models.CharField(max_length=16, choices=Verb.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, db_constraint=False, related_name="+")
    by_name = models.CharField(max_length=150)
    #: What was said beside it: a comment, an assignee's name, until when.
    said = models.JSONField(default=dict)
    #: The alarm's fields as they were, and its revision afterwards.
    before = models.JSONField(default=dict)
    revision = models.PositiveIntegerField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["alarm", "-id"]), models.Index(fields=["-at"])]


class Handover(models.Model):
    """A shift that was handed over: who took it, when, since when they looked back, and what they had to say."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    since = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, db_constraint=False, related_name="+")
    by_name = models.CharField(max_length=150)
    note = models.TextField(blank=True)
    #: Alarms that were open then, by severity.
    open = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["organisation", "-id"]), models.Index(fields=["at"])]
