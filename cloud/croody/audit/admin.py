"""The audit log on the admin site, to be read: nobody changes it."""

from django.contrib import admin

from croody.audit.models import Entry
from croody.web.read_only import ReadOnly


@admin.register(Entry)
class Entries(ReadOnly):
    """The newest first."""

    list_display = ("at", "kind", "name", "verb", "thing", "thing_id", "organisation_id", "address")
    ordering = ("-pk",)
