"""What one robot said beside its readings: starts, events, tombstones. Reads only."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from croody.api import cursor as places
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Problem, Wrong
from croody.api.fleet import RobotId
from croody.api.pages import Cursor, Limit, page
from croody.api.schemas import EventsOut
from croody.fleet.access import Action, asking, need
from croody.telemetry.ingest.clock import in_utc
from croody.telemetry.read.events import FIRST, Told, told
from croody.web.times import Time

router = Router(tags=["events"])


@router.get(
    "/robots/{robot_id}/events",
    auth=Asks(Action.INSPECT),
    response={200: EventsOut, 404: Problem, **ERRORS},
    summary="What a robot said beside its readings",
)
def events(
    request: HttpRequest,
    robot_id: RobotId,
    limit: Limit = 100,
    cursor: Cursor = "",
    start: Annotated[Time | None, Query(description="From then on; included")] = None,
    end: Annotated[Time | None, Query(description="Until then; included")] = None,
) -> dict[str, Any]:
    """The newest first, by the moment that each counts for."""
    need(asking(request), Action.INSPECT, robot_id)
    since = in_utc(start, "start") if start is not None else FIRST
    until = in_utc(end, "end") if end is not None else timezone.now().replace(year=9998)
    if since > until:
        raise Wrong("start", since.isoformat(), f"not after end {until.isoformat()}", "send an earlier start")
    behind = places.read(cursor, tuple[datetime, int]) if cursor else None
    rows = told(robot_id, since=since, until=until, limit=limit + 1, behind=behind)
    return page(rows, limit, lambda some: [_row(one) for one in some], lambda one: places.written(one.at, one.number))


def _row(one: Told) -> dict[str, Any]:
    names = ("kind", "at", "received_at", "stream", "seq", "late", "data")
    return {"id": one.number, **{name: getattr(one, name) for name in names}}
