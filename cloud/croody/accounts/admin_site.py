"""The admin site, whose every change is written down with the request it came by. Knows no model: whatever is registered is heard."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from croody.accounts.caller import actor_of, of_session
from croody.accounts.models import Membership, Organisation
from croody.audit.services import record


class WrittenDown:
    """What is put before each `ModelAdmin`: Django's own log keeps no values, no address, and can be emptied."""

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Keep what the form changes for the entry that follows."""
        names = list(form.changed_data)
        before = {name: form.initial.get(name) for name in names} if change else {}
        request.changed_here = before, {name: form.cleaned_data.get(name) for name in names}  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Something new."""
        _write(request, "add", obj, message)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Something that is different now."""
        _write(request, "change", obj, message)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        """Something that is gone."""
        for obj in queryset:
            _write(request, "delete", obj, [])
        return super().log_deletions(request, queryset)  # type: ignore[misc]


class Site(admin.AdminSite):
    """Django's, with `WrittenDown` before whatever is registered."""

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """As Django's."""
        heard = type("Admin", (WrittenDown, admin_class or admin.ModelAdmin), {})
        super().register(model_or_iterable, heard, **options)


def _write(request: HttpRequest, verb: str, obj: Model, message: Any) -> None:
    before, after = getattr(request, "changed_here", ({}, {}))
    told = {} if verb == "delete" else {**after, "fields": _fields(message)}
    actor = replace(actor_of(request, of_session(request)), kind="admin")
    thing, now = obj._meta.model_name or "row", timezone.now()
    record(actor, verb, thing, str(obj), organisation_id=_organisation_of(obj), before=before, after=told, now=now)


def _fields(message: Any) -> list[str]:
    parts = json.loads(message or "[]") if isinstance(message, str) else message
    return [str(field) for part in parts if isinstance(part, dict) for one in part.values() for field in one.get("fields", [])]


def _organisation_of(obj: Model) -> int | None:
    """Whose log is to have it."""
    if isinstance(obj, Organisation):
        return obj.pk
    if isinstance(obj, Membership):
        return obj.organisation_id
    found = getattr(obj, "organisation_id", None)
    return found if isinstance(found, int) else None
