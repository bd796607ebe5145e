"""The inbox, an alarm in it, and what was called false. Facts come from `facts`, texts from `words`."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.alarms import inbox as alarms
from croody.alarms.inbox import Asked
from croody.alarms.kinds import SEVERITIES
from croody.alarms.kinds import find as kind_of_code
from croody.console import frame, page_access
from croody.console.alerts import detail, facts, words


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
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    asked = Asked.of(request.GET.dict())
    found = facts.page(caller, asked, now)
    chosen = facts.alarm_of(caller, number) if number is not None else next(iter(found.listed.alarms), None)
    query = asked.address()
    told = list(messages.get_messages(request))
    context: dict[str, Any] = {
        "sentence": words.sentence(found.counts, language),
        "aside": words.aside(found.counts, now, language),
        "asked": asked,
        "live": True,
        "may_act": bool(facts.may_end(caller)),
        "query": query,
        "mark": alarms.mark(caller, now),
        "all": found.matching if found.matching > 1 and facts.may_end(caller) else 0,
        "all_query": asked.address(after=""),
        "tabs": [_tab(tab, found, language) for tab in words.TABS],
        "head": words.HEADS[asked.tab],
        "rows": words.rows(found, now, language),
        "empty": words.empty(found, now),
        "next": asked.address(after=found.listed.after) if found.listed.after else "",
        "first": asked.address(after="") if asked.after else "",
        "severities": SEVERITIES.items(),
        "kinds": [(code, kind_of_code(code).title) for code in found.kinds],
        "held": found.held,
        "picked": number is not None,
        "here": number or "",
        "detail": detail.detail(facts.evidence(caller, chosen, now), now, language, caller.user_id) if chosen is not None else None,
        "days": words.DAYS,
        "undoable": [message for message in told if message.level_tag == "info"],
        "refusals": [message for message in told if message.level_tag != "info"],
    }
    return frame.draw(request, "console/alerts/inbox.html", context, page="alerts")


def _tab(tab: Any, found: facts.Inbox, language: str) -> dict[str, Any]:
    count = found.tabs.get(tab)
    return {"words": words.TABS[tab], "address": Asked(tab).address() or "?", "current": found.asked.tab is tab, "count": count}
