"""One model for everything that needs a person."""

from django.db import models

from croody.accounts.models import Organisation


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
            models.Index(fields=["last_at"], condition=models.Q(resolved_at=None), name="open_alarm_by_news"),
            # What jobs look for among any number of alarms that are over.
            models.Index(fields=["kind", "id"], condition=models.Q(resolved_at=None), name="open_alarm_by_kind"),
            # What came in the last minute with one cause, among any number of other alarms.
            models.Index(fields=["kind", "opened_at"], condition=models.Q(part_of=None), name="single_alarm_by_kind"),
        ]
