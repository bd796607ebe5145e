"""What stands around every page of the console: navigation, the number of open alarms, who is here. Draws no page itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from croody.accounts.caller import Caller, left_out, of_session
from croody.alarms import inbox
from croody.alarms.kinds import SEVERITIES
from croody.console.pages import PAGES, SECTIONS, Page
from croody.fleet.access import ROLES
from croody.live.words import words
from croody.web import formats


def draw(request: HttpRequest, template: str, context: Mapping[str, Any], *, page: str, status: int = 200) -> HttpResponse:
    """A page of the console.

    Args:
        page: what `pages.PAGES` calls it, which the navigation marks.
        context: the page's own. `alone=True`: it is for people without an organisation too.
    """
    caller = of_session(request)
    now = timezone.now()
    belongs = bool(caller.roles) or caller.superuser
    frame: dict[str, Any] = {
        "page": page,
        "rail": rail(page, caller),
        "belongs": belongs,
        "now": now.timestamp(),
        "words": words(),
    }
    if not belongs and not context.get("alone"):
        frame["left_out"] = isinstance(request.user, User) and left_out(request.user)
        return render(request, "console/nobody.html", frame, status=status)
    return render(request, template, {**frame, **bell(caller, now), **context}, status=status)


def rail(page: str, caller: Caller) -> list[dict[str, Any]]:
    """The navigation, part by part."""
    parts = [
        {
            "name": name,
            "words": said,
            "pages": [{"page": one, "current": one.name == page} for one in PAGES if one.section == name and _leads(one, caller)],
        }
        for name, said in SECTIONS.items()
    ]
    return [part for part in parts if part["pages"]]


def _leads(page: Page, caller: Caller) -> bool:
    """Whether the navigation leads there: what one may not do at all is not offered."""
    return page.needs is None or caller.superuser or any(page.needs in ROLES[role] for _organisation, role in caller.roles)


def bell(caller: Caller, now: datetime) -> dict[str, Any]:
    """How many alarms wait for somebody, by the worst of them."""
    return words_of_bell(inbox.counts(caller, now), get_language() or "es")


def words_of_bell(waiting: inbox.Counts, language: str) -> dict[str, Any]:
    """The same in words: what the navigation, the title and the icon show."""
    worst = next(iter(waiting.severities), "")
    return {
        "bell_count": waiting.total,
        "bell": formats.number(waiting.total, 0, language),
        "bell_worst": worst,
        "bell_word": SEVERITIES.get(worst, ""),
        "bell_critical": waiting.critical_new,
    }
