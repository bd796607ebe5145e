"""Alarms on the admin site, to be read: people act on them in the console."""

from django.contrib import admin

from croody.alarms.models import Alarm, Suppression
from croody.web.read_only import ReadOnly


@admin.register(Alarm)
class Alarms(ReadOnly):
    """The newest first."""

    list_display = ("kind", "robot_id", "severity", "opened_at", "last_at", "count", "resolved_at", "assignee")
    list_select_related = ("assignee",)
    ordering = ("-pk",)


@admin.register(Suppression)
class Suppressions(ReadOnly):
    """What is held back, and until when."""

    list_display = ("organisation", "scope", "robot_id", "kind", "expires_at", "by_name", "hits")
    list_select_related = ("organisation",)
    ordering = ("-pk",)
