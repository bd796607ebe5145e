"""`/console/` and its stream. Facts come from `facts`, the page from `page`; a lost database is an answer, not an exception."""

import logging
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.console import door, frame
from croody.console.fleet import facts, spark
from croody.console.fleet import page as pages
from croody.console.fleet.selection import Selection, select
from croody.console.fleet.stream import View, feed
from croody.fleet.ticket import ticket_of
from croody.live.pages import Viewer
from croody.live.views import answer, follow

log = logging.getLogger(__name__)


@require_GET
@door.page()
def fleet(request: HttpRequest) -> HttpResponseBase:
    """Does any robot need me, which, why, since when."""
    shown = _page(request)
    context: dict[str, Any] = {**shown.context, "version": shown.picture.version, "live": True}
    return frame.draw(request, "console/fleet/fleet.html", context, page="fleet")


@require_GET
@door.page()
def stream(request: HttpRequest) -> HttpResponseBase:
    """What changes on the page of the same query, once a second, as server-sent events `page`."""
    caller = of_session(request)
    view = View(facts.audience_of(caller), get_language() or "es", Selection.of(request.GET.dict()))
    return answer(follow(feed, Viewer(view, request.GET.get("version", "")[:64]), ticket_of(request, caller)))


def _page(request: HttpRequest) -> pages.Page:
    now, language = timezone.now(), get_language() or "es"
    asked = Selection.of(request.GET.dict())
    roster = facts.roster(facts.audience_of(of_session(request)), now)
    shown = select(roster.robots, asked)
    known = pages.Known(facts.entries(shown.robots), facts.reasons([robot.robot_id for robot in shown.robots if robot.alerts], now))
    metric = spark.choose([entry.values for entry in known.entries.values()], asked.metric)
    hours = pages.Hours(metric, facts.hours([robot.robot_id for robot in shown.robots], metric, now) if metric else {})
    return pages.fleet(roster, asked, shown, known, hours, pages.Rows(now, language, feed.gaps_for_a_page()))
