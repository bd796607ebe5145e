"""Tells each open inbox that something changed in it, once a second, once a process: the page then asks for itself as it stands now."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from croody.accounts.caller import Caller, of_session
from croody.alarms import inbox
from croody.console import page_access
from croody.fleet.ticket import ticket_of
from croody.live.page_feed import PageFeed, Seen, Viewer
from croody.live.picture import Picture
from croody.live.views import answer, follow
from croody.web.units import SI, Units


class View(NamedTuple):
    """An inbox. Whoever sees the same alarms shares one question, whatever they filter by."""

    audience: Caller
    units: Units = SI


class InboxFeed(PageFeed[View]):
    """Sends `mark`, which is another one when something changed."""

    def __init__(self) -> None:
        super().__init__("alerts")
        self._now = timezone.now()

    def begin(self, views: Collection[View], now: datetime) -> None:
        """A round begins."""
        self._now = now

    def look(self, view: View) -> Seen:
        """One inbox."""
        return Seen(Picture(data={"mark": inbox.mark(view.audience, self._now)}))


feed = InboxFeed()


@require_GET
@page_access.page()
def stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events `page` with the mark of the inbox."""
    try:
        ticket = ticket_of(request, of_session(request))
    except DatabaseError:
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    return answer(follow(feed, Viewer(View(ticket.caller), ""), ticket))
