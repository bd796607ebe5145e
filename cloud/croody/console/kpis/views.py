"""`/console/kpis/` and its file. Reads only."""

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.console import csv_file, frame, page_access
from croody.console.kpis import facts, words
from croody.console.kpis.selection import WEEKS, Selection
from croody.web import formats
from croody.web.address import page_of

_FILE: Final = "croody-kpis-{since:%Y%m%d}-{until:%Y%m%d}.csv"


@require_GET
@page_access.page()
def kpis(request: HttpRequest) -> HttpResponseBase:
    """How the fleet, its sites and its robots did over weeks."""
    now, language = timezone.now(), get_language() or "es"
    asked = Selection.of(request.GET.dict())
    since, until = asked.days(now.date())
    who = facts.chosen(of_session(request), asked)
    found = facts.found(who, since, until)
    shown, page, pages = page_of(found.robots, asked.page, facts.PAGE)
    home = reverse("console_kpis")
    context = {
        "sentence": words.sentence(found.total, len(who), asked.weeks, language),
        "aside": words.aside(found.total, language),
        "asked": asked,
        "query": asked.address(),
        "total": words.row(_("En total"), found.total, language),
        "ranges": [
            {
                "words": ngettext("%(count)s semana", "%(count)s semanas", weeks) % {"count": formats.number(weeks, 0, language)},
                "address": asked.address(weeks=weeks),
                "current": weeks == asked.weeks,
            }
            for weeks in WEEKS
        ],
        "weeks": [words.row(words.week(monday, language), sums, language) for monday, sums in found.weeks],
        "sites": [
            words.row(name or _("sin sitio"), sums, language, address=home + asked.address(site=slug) if slug else "")
            for slug, name, sums in found.sites
        ],
        "robots": [
            words.row(robot_id, sums, language, address=home + asked.address(robot=robot_id, site=""), label=label)
            for robot_id, label, sums in shown
        ],
        "page_number": page,
        "pages": pages,
        "previous": asked.address(page=page - 1) if page > 1 else "",
        "next": asked.address(page=page + 1) if page < pages else "",
        "everything": asked.address(site="", robot="") if asked.site or asked.robot else "",
    }
    return frame.draw(request, "console/kpis/kpis.html", context, page="kpis")


@require_GET
@page_access.page()
def export(request: HttpRequest) -> HttpResponseBase:
    """A row a robot and day, as a file."""
    asked = Selection.of(request.GET.dict())
    since, until = asked.days(timezone.now().date())
    who = facts.chosen(of_session(request), asked)
    return csv_file.answer(request, _FILE.format(since=since, until=until), facts.COLUMNS, facts.rows(who, since, until))
