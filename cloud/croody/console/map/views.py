"""`/console/map/` and its stream."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.console import frame, page_access
from croody.console.fleet.facts import audience_of
from croody.console.map import facts
from croody.console.map.page import Asked
from croody.console.map.page import chart as draw
from croody.console.map.stream import View, feed, known
from croody.fleet.ticket import ticket_of
from croody.live.page_feed import Viewer
from croody.live.views import answer, follow
from croody.web import units


@require_GET
@page_access.page()
def chart(request: HttpRequest) -> HttpResponseBase:
    """Where are they; which have no position."""
    now = timezone.now()
    asked = Asked.of(request.GET.dict())
    found = known(audience_of(of_session(request)), now)
    shown = draw(found, asked, lambda entries: facts.trails(entries, now), get_language() or "es")
    context: dict[str, Any] = {**shown.context, "version": shown.picture.version, "live": True}
    return frame.draw(request, "console/map/map.html", context, page="map")


@require_GET
@page_access.page()
def stream(request: HttpRequest) -> HttpResponseBase:
    """What changes on the page of the same query, once a second, as server-sent events `page`."""
    caller = of_session(request)
    view = View(audience_of(caller), get_language() or "es", Asked.of(request.GET.dict()), units.current())
    return answer(follow(feed, Viewer(view, request.GET.get("version", "")[:64]), ticket_of(request, caller)))
