"""What the console itself remembers."""

from django.conf import settings
from django.db import models


class Looking(models.Model):
    """Somebody has the page of a robot open in a process of the web role: told again while it is so, and old soon after."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    robot_id = models.CharField(max_length=64)
    process = models.CharField(max_length=16)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "robot_id", "process"], name="one_look")]
        indexes = [models.Index(fields=["robot_id", "at"], name="looks_at_robot")]
