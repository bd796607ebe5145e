"""The inbox, an alarm in it, and what was called false. What the inbox shows comes from `inbox_page`."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.alarms.inbox import Asked
from croody.console import frame, page_access
from croody.console.alerts import facts, inbox_page, words


@require_GET
@page_access.page()
def inbox(request: HttpRequest) -> HttpResponseBase:
    """How many, how grave, whose; beside the list the first of them."""
    return _inbox(request, None)


@require_GET
@page_access.page()
def alarm(request: HttpRequest, number: int) -> HttpResponseBase:
    """The same with this alarm beside the list."""
    return _inbox(request, number)


@require_GET
@page_access.page()
def exceptions(request: HttpRequest) -> HttpResponseBase:
    """What was called false and still holds."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    mine = facts.may_end(caller)
    rows = [words.suppression(held, now, language) for held in facts.held(caller, now)]
    context = {"rows": [row | {"mine": row["organisation_id"] in mine} for row in rows]}
    return frame.draw(request, "console/alerts/exceptions.html", context, page="alerts")


def _inbox(request: HttpRequest, number: int | None) -> HttpResponseBase:
    context = inbox_page.context(request, Asked.of(request.GET.dict()), number)
    return frame.draw(request, "console/alerts/inbox.html", context, page="alerts")
