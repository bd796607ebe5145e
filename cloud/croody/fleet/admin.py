"""Robots and sites on the admin site. Their secrets' hashes are nowhere on it."""

from django.contrib import admin

from croody.fleet.models import Robot, Site
from croody.web.read_only import ReadOnly


@admin.register(Robot)
class Robots(ReadOnly):
    """Every robot, those too that were revoked."""

    list_display = ("robot_id", "label", "organisation", "site", "kind", "shared", "created_at", "deleted_at")
    list_select_related = ("organisation", "site")
    search_fields = ("robot_id", "label")


@admin.register(Site)
class Sites(ReadOnly):
    """Where robots work."""

    list_display = ("name", "slug", "organisation")
    list_select_related = ("organisation",)
