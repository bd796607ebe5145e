"""What the inbox's page is made of, for the whole of it and for the part of it that an act changed."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from croody.accounts.caller import of_session
from croody.alarms import inbox as alarms
from croody.alarms.inbox import Asked
from croody.alarms.kinds import SEVERITIES
from croody.alarms.kinds import find as kind_of_code
from croody.console.alerts import detail, facts, words


def context(request: HttpRequest, asked: Asked, number: int | None) -> dict[str, Any]:
    """The part of the inbox that is asked for, with this alarm beside it; without a number the first of the list."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    found = facts.page(caller, asked, now)
    chosen = facts.alarm_of(caller, number) if number is not None else next(iter(found.listed.alarms), None)
    query = asked.address()
    told = list(messages.get_messages(request))
    return {
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


def _tab(tab: Any, found: facts.Inbox, language: str) -> dict[str, Any]:
    count = found.tabs.get(tab)
    return {"words": words.TABS[tab], "address": Asked(tab).address() or "?", "current": found.asked.tab is tab, "count": count}
