"""`/console/` and its stream. Facts come from `facts`, the page from `page`."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import Caller, of_session
from croody.console import frame, page_access
from croody.console.fleet import facts, own, spark
from croody.console.fleet import page as pages
from croody.console.fleet.selection import Selection, select
from croody.console.fleet.stream import View, feed
from croody.console.many.acts import UNDOABLE
from croody.fleet.ticket import ticket_of
from croody.live.page_feed import Viewer
from croody.live.pieces import Page
from croody.live.views import answer, follow
from croody.web import units


@require_GET
@page_access.page()
def fleet(request: HttpRequest) -> HttpResponseBase:
    """Does any robot need me, which, why, since when."""
    caller = of_session(request)
    user_id = caller.user_id or 0
    asked, starred = Selection.of(request.GET.dict()), own.stars(user_id)
    shown = _page(caller, asked, starred)
    views = [
        {"number": view.pk, "name": view.name, "address": f"?{view.query}", "current": f"?{view.query}" == asked.address()}
        for view in own.views(user_id)
    ]
    told = [{"text": str(one), "undo": _request_of(one.extra_tags or "")} for one in messages.get_messages(request)]
    context: dict[str, Any] = {
        **shown.context,
        "told": told,
        "query": asked.address(),
        "version": shown.picture.version,
        "live": True,
        "starred": starred,
        "starred_ids": sorted(starred),
        "views": views,
        "fields": asked.fields(),
        # Who may not add robots is not led to the page.
        "adds": any(one["page"].name == "add_robot" for part in frame.rail("fleet", caller) for one in part["pages"]),
    }
    return frame.draw(request, "console/fleet/fleet.html", context, page="fleet")


@require_GET
@page_access.page()
def stream(request: HttpRequest) -> HttpResponseBase:
    """What changes on the page of the same query, once a second, as server-sent events `page`."""
    caller, asked = of_session(request), Selection.of(request.GET.dict())
    # Who asks for all robots shares the page with all who do; who asks for their favourites has their own.
    starred = own.stars(caller.user_id or 0) if asked.starred else frozenset()
    view = View(facts.audience_of(caller), get_language() or "es", asked, starred, units.current())
    return answer(follow(feed, Viewer(view, request.GET.get("version", "")[:64]), ticket_of(request, caller)))


def _request_of(tags: str) -> str:
    """The id of the request that did something to many robots, of a message that says so."""
    return next((tag.removeprefix(UNDOABLE) for tag in tags.split() if tag.startswith(UNDOABLE)), "")


def _page(caller: Caller, asked: Selection, starred: frozenset[str]) -> Page:
    now, language = timezone.now(), get_language() or "es"
    roster = facts.roster(facts.audience_of(caller), now)
    shown = select(roster.robots, asked, starred)
    known = pages.Known(facts.entries(shown.robots), facts.reasons([robot.robot_id for robot in shown.robots if robot.alerts], now))
    metric = spark.choose([entry.values for entry in known.entries.values()], asked.metric)
    hours = pages.Hours(metric, facts.hours([robot.robot_id for robot in shown.robots], metric, now) if metric else {})
    return pages.fleet(roster, asked, shown, known, hours, pages.Rows(now, language, feed.gaps_for_a_page()))
