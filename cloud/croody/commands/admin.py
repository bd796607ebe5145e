"""What the cloud wants of robots, on the admin site."""

from django.contrib import admin

from croody.commands.models import Outgoing
from croody.web.read_only import ReadOnly


@admin.register(Outgoing)
class Commands(ReadOnly):
    """The newest first."""

    list_display = ("kind", "robot_id", "created_at", "expires_at", "attempts", "answered_at", "answer_state")
    ordering = ("-pk",)
