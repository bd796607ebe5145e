"""How the admin site shows a table of ours: to be read, in bounded time. What changes it are services, which hold the rules."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property

#: As many rows are counted, and can be leafed through.
MOST = 10_000


class Bounded(Paginator):  # type: ignore[type-arg]
    """Counts no further than `MOST`, however long the table is."""

    @cached_property
    def count(self) -> int:
        """How many there are, or `MOST`."""
        rows: Any = self.object_list[:MOST]
        return int(rows.count())


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nothing is added, changed or deleted here."""

    paginator = Bounded
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Services add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Services change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Services delete."""
        return False
