"""The answer of an act: the page again, or for the page's script only what the act changed of it."""

from collections.abc import Collection
from datetime import datetime

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from croody.accounts.caller import Caller, of_session
from croody.alarms import inbox
from croody.alarms.inbox import Asked
from croody.console import frame, page_access
from croody.console.alerts import inbox_page


def is_current(request: HttpRequest, caller: Caller, now: datetime) -> bool:
    """Whether the page of this script shows the inbox as it stands before the act: else it needs every row again."""
    return "X-Mark" in request.headers and request.headers["X-Mark"] == inbox.mark(caller, now)


def answer(request: HttpRequest, asked: Asked, number: int | None, touched: Collection[int], *, current: bool) -> HttpResponseBase:
    """Show the list with the alarm `number` beside it.

    Args:
        touched: alarms that the act changed.
        current: `is_current` before the act.
    """
    address = (reverse("console_alert", args=[number]) if number else reverse("console_alerts")) + asked.address()
    if request.headers.get("X-Fragment") != "alert":
        return page_access.done(request, address)
    context = inbox_page.context(request, asked, number)
    order = [row.base.number for row in context["rows"]]
    if current:
        # As many as went from a full page came in at its end.
        came_in = order[-len(touched) :] if context["next"] and touched else []
        sent = {*touched, *came_in, *order[:1], number}
        context["rows"] = [row for row in context["rows"] if row.base.number in sent]
    told = {"changed": True, "address": address, "order": order, "now": timezone.now().timestamp()}
    return render(request, "console/alerts/change.html", {**frame.bell(of_session(request), timezone.now()), **context, **told})
