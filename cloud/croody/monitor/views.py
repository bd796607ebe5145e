"""`/robots/monitor/` and its stream. Facts come from `facts`, the page from `page`; a lost database is an answer, not an exception."""

import logging
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.accounts.rules import open_to
from croody.fleet.access import Action
from croody.fleet.ticket import ticket_of
from croody.live.pieces import Page
from croody.live.views import answer, follow
from croody.live.words import words
from croody.monitor import facts, page, team
from croody.monitor.selection import Selection
from croody.monitor.stream import View, Viewer, feed
from croody.web import units

log = logging.getLogger(__name__)


@never_cache
@require_GET
@open_to("anybody")
def monitor(request: HttpRequest) -> HttpResponse:
    """What the robots do now. 503 and a page that heals by itself while the database is away."""
    now = timezone.now()
    kit: dict[str, Any] = {"section": "monitor", "now": now.timestamp(), "words": words(), "own": request.user.is_authenticated}
    try:
        shown = _page(request)
        inside = team.context(of_session(request), now)
    except DatabaseError as error:
        _lost(error)
        request.user = AnonymousUser()
        return render(request, "monitor/monitor.html", {**kit, "own": False, "lost": True, "total": 0}, status=503)
    return render(request, "monitor/monitor.html", {**shown.context, **kit, **inside, "version": shown.picture.version})


@never_cache
@require_GET
@open_to(Action.INSPECT)
def detection(request: HttpRequest) -> HttpResponse:
    """What the team alone sees, by itself."""
    try:
        return team.section(request)
    except DatabaseError as error:
        _lost(error)
        return HttpResponse(status=503, headers={"Retry-After": "2"})


@require_GET
@open_to("anybody")
def stream(request: HttpRequest) -> HttpResponseBase:
    """What changes on the page of the same query, once a second, as server-sent events `page`; `tira=1`: on the strip of the home page."""
    try:
        ticket = ticket_of(request, of_session(request))
    except DatabaseError:
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    asked = None if request.GET.get("tira") else Selection.of(request.GET.dict())
    view = View(ticket.caller, get_language() or "es", asked, units.current())
    return answer(follow(feed, Viewer(view, request.GET.get("version", "")[:64]), ticket))


def _page(request: HttpRequest) -> Page:
    now = timezone.now()
    roster = facts.roster(of_session(request), now)
    asked = Selection.of(request.GET.dict())
    shown = page.shown_on(roster, asked)
    entries = {entry.robot_id: entry for entry in facts.entries(shown.robots)}
    rows = page.Rows(now, get_language() or "es", feed.gaps_for_a_page())
    return page.monitor(roster, asked, shown, entries, lambda some: facts.trails(some, now), rows)


def _lost(error: DatabaseError) -> None:
    log.warning("monitor: the database is lost (%s)", str(error).partition("\n")[0])
    connections.close_all()
