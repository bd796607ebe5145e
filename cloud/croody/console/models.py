"""What the console itself remembers."""

from django.conf import settings
from django.db import models

from croody.fleet.models import Robot


class Looking(models.Model):
    """Somebody has the page of a robot open in a process of the web role: told again while it is so, and old soon after."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    robot_id = models.CharField(max_length=64)
    process = models.CharField(max_length=16)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "robot_id", "process"], name="one_look")]
        indexes = [models.Index(fields=["robot_id", "at"], name="looks_at_robot")]


class Star(models.Model):
    """A robot among somebody's favourites."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    robot = models.ForeignKey(Robot, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "robot"], name="one_star")]


class SavedView(models.Model):
    """A view of the fleet by its name. `query`: what its address says, without the question mark."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=600)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_saved_view")]
