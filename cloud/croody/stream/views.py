"""`GET /api/telemetry/stream?robot_id=`: readings as they come, as server-sent events. `Last-Event-ID` resumes."""

from collections.abc import AsyncIterator
from typing import Final

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from croody.accounts.services import user_of_token
from croody.fleet.queries import robot_of_secret
from croody.stream import records, sse
from croody.stream.audience import PUBLIC, Audience, robots_of
from croody.stream.hub import RETRY_MS, Feed, Listener

#: Who was away for longer than so many readings begins at the newest, and is told so.
RESUME_AT_MOST: Final = 20_000
_PAGE: Final = 500


@require_GET
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Open the stream: 401 for a wrong key, 404 for a robot one may not know of."""
    audience = await sync_to_async(audience_of)(request)
    if audience is None:
        return JsonResponse({"detail": "X-API-Key: no personal token and no robot's secret: make a new one on your profile"}, status=401)
    robot_id = request.GET.get("robot_id") or None
    visible = await sync_to_async(robots_of)(audience)
    if robot_id is not None and robot_id not in visible:
        return JsonResponse({"detail": f"robot_id {robot_id[:64]}: no such robot"}, status=404)
    since = sse.last_id(request.headers.get("Last-Event-ID"), request.GET.get("last_event_id"))
    listener = Listener(audience, robot_id, visible=visible)
    newest = await sync_to_async(records.newest_id)()
    since = sse.last_id(request.headers.get("Last-Event-ID"), request.GET.get("last_event_id"))
    return answer(_body(listener, newest if since is None else since))


def answer(body: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """The response of every stream: never kept by a cache, never held back by a proxy."""
    response = StreamingHttpResponse(body, content_type="text/event-stream; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def audience_of(request: HttpRequest) -> Audience | None:
    """Whoever asks: by key, else by session, else the public. None when there is a key and nobody has it."""
    key = request.headers.get("X-API-Key")
    if key is not None:
        user = user_of_token(key)
        if user is not None:
            return Audience("user", str(user.pk))
        robot = robot_of_secret(key, now=timezone.now())
        return Audience("robot", robot.robot_id) if robot is not None else None
    return session_audience(request)


def session_audience(request: HttpRequest) -> Audience:
    """The signed-in user, else the public."""
    return Audience("user", str(request.user.pk)) if request.user.is_authenticated else PUBLIC


async def follow(feed: Feed, listener: Listener) -> AsyncIterator[bytes]:
    """What a feed gives to one listener, until either ends."""
    yield sse.retry(RETRY_MS)
    feed.join(listener)
    try:
        async for chunk in listener.chunks():
            yield chunk
    finally:
        feed.leave(listener)


async def _body(listener: Listener, since: int) -> AsyncIterator[bytes]:
    """Catch up page by page, then join, then read once more what came between: nothing falls through, nothing comes twice."""
    wanted = listener.visible if listener.robot_id is None else frozenset({listener.robot_id})
    page_after = sync_to_async(records.page_after)
    yield sse.retry(RETRY_MS)
    caught_up = 0
    page = await page_after(since, wanted, _PAGE)
    while page:
        for row in page:
            yield records.encoded(row)
        since = page[-1]["id"]
        caught_up += len(page)
        if len(page) < _PAGE:
            break
        if caught_up >= RESUME_AT_MOST:
            skipped_after, since = since, await sync_to_async(records.newest_id)()
            yield sse.event("state", {"resumed": "in part", "skipped_after": skipped_after, "continues_at": since})
            break
        page = await page_after(since, wanted, _PAGE)
    records.feed.begin_at(since)
    records.feed.join(listener)
    try:
        for row in await page_after(since, wanted, _PAGE):
            yield records.encoded(row)
            listener.sent.add(row["id"])
        async for chunk in listener.chunks():
            yield chunk
    finally:
        records.feed.leave(listener)
