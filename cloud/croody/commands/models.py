"""What the cloud wants of a robot."""

from django.db import models


class Outgoing(models.Model):
    """What the cloud wants to say to a robot: sent again, later each time, until it answers or the row expires."""

    robot = models.ForeignKey("fleet.Robot", on_delete=models.CASCADE, related_name="outgoing")
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

    class Meta:
        #: The name is older than the room: a version before this one finds its table.
        db_table = "fleet_outgoing"
        indexes = [
            # What is still to be said, however much was answered or never was.
            models.Index(fields=["expires_at"], condition=models.Q(answered_at=None), name="outgoing_open"),
            models.Index(fields=["robot", "kind", "expires_at"], name="outgoing_of_robot"),
            # What people asked of a robot, in the order of its log.
            models.Index(fields=["robot", "kind", "created_at"], name="outgoing_by_day"),
        ]
