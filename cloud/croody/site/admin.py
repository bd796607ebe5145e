"""Outages on the admin site: who administers the site tells of them there, and `/estado/` shows them."""

from django.contrib import admin

from croody.site.models import Outage


@admin.register(Outage)
class Outages(admin.ModelAdmin):  # type: ignore[type-arg]
    """The newest first."""

    list_display = ("title_es", "began_at", "ended_at")
    ordering = ("-began_at",)
