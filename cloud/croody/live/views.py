"""`GET /api/telemetry/stream?robot_id=`: readings as they come, as server-sent events. `Last-Event-ID` resumes."""

import time
from collections.abc import AsyncIterator
from typing import Final

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from croody.accounts.caller import caller_of
from croody.accounts.rules import open_to
from croody.fleet.access import Action, check, ids_seen
from croody.fleet.ticket import Ticket, ticket_of
from croody.live import records, sse
from croody.live.cursor import Place
from croody.live.hub import RETRY_MS, Feed, Listener
from croody.live.revocation import leaving
from croody.telemetry.read.follow import from_now
from croody.web.refusals import Denied

#: Who was away for longer than so many readings begins at the newest, and is told so.
RESUME_AT_MOST: Final = 20_000


# It only reads: a POST is told to use GET, not that a form came without its token.
@csrf_exempt
@open_to(Action.SEE)
@require_GET
def stream(request: HttpRequest) -> HttpResponseBase:
    """Open the stream: 401 for a key that is nobody's, 404 for a robot one may not know of, 503 while the database is away."""
    try:
        return _open(request, time.monotonic())
    except Denied as refused:
        return JsonResponse({"detail": refused.detail}, status=refused.status)
    except DatabaseError:
        return JsonResponse({"detail": "the database is away: try again in a moment"}, status=503, headers={"Retry-After": "2"})


def _open(request: HttpRequest, at: float) -> HttpResponseBase:
    caller = caller_of(request)
    check(caller, Action.SEE)
    robot_id = request.GET.get("robot_id") or None
    visible = ids_seen(caller)
    if robot_id is not None and robot_id not in visible:
        raise Denied(404, f"robot_id: there is no robot {robot_id[:64]}")
    said = request.headers.get("Last-Event-ID") or request.GET.get("last_event_id") or ""
    place = Place.parse(said.strip())
    if place is None and not records.feed.running:
        place = Place.of(from_now(timezone.now()))
    return answer(_body(Listener(caller, robot_id, visible=visible), place, at, ticket_of(request, caller)))


def answer(body: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """The response of every stream: never kept by a cache, never held back by a proxy."""
    response = StreamingHttpResponse(body, content_type="text/event-stream; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def follow(feed: Feed, listener: Listener, ticket: Ticket) -> AsyncIterator[bytes]:
    """What a feed gives to one listener, until either ends, or what the listener came with."""
    yield sse.retry(RETRY_MS)
    leaving.enter(ticket, listener)
    feed.join(listener)
    try:
        async for chunk in listener.chunks():
            yield chunk
    finally:
        feed.leave(listener)
        leaving.leave(ticket, listener)


async def _body(listener: Listener, place: Place | None, at: float, ticket: Ticket) -> AsyncIterator[bytes]:
    """What the feed brings from `at` on, or from `place` on: nothing falls through, nothing comes twice."""
    feed = records.feed
    yield sse.retry(RETRY_MS)
    leaving.enter(ticket, listener)
    try:
        if place is None and not feed.join_from(at, listener):
            place = Place.of(await sync_to_async(from_now)(timezone.now()))
        if place is not None:
            async for chunk in _catch_up(feed, listener, place):
                yield chunk
        async for chunk in listener.chunks():
            yield chunk
    finally:
        feed.leave(listener)
        leaving.leave(ticket, listener)


async def _catch_up(feed: records.RecordFeed, listener: Listener, place: Place) -> AsyncIterator[bytes]:
    """Page by page, until what came since the last one was read is still in the feed's memory; then the listener has joined."""
    wanted = listener.visible if listener.robot_id is None else frozenset({listener.robot_id})
    page_after = sync_to_async(records.page_after)
    caught_up, limit = 0, records.FIRST_ROWS
    while not listener.cut_off:
        at = time.monotonic()
        page = await page_after(place, wanted, limit)
        place = page.place
        if page.chunk:
            yield page.chunk
        caught_up += page.count
        limit = records.next_limit(limit, len(page.chunk))
        if page.full and caught_up >= RESUME_AT_MOST:
            skipped_after, place, caught_up = place.high, Place.of(page.newest), 0
            yield sse.event("state", {"resumed": "in part", "skipped_after": skipped_after, "continues_at": place.high})
        elif not page.full:
            feed.begin_at(page.newest, at)
            if feed.join_from(at, listener, place):
                return
