"""Alarms over HTTP: the list, open first. Mounted by the telemetry role; knows requests, never causes."""

from datetime import datetime
from typing import Any, Final, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from croody.alarms import queries
from croody.alarms.models import Alarm
from croody.fleet.access import Action, Needs, asking

router = Router(tags=["alarms"])


class AlarmRow(Schema):
    """One cause at one robot. `resolved_at` is null while it holds; `count` is how often it was noticed."""

    id: int
    robot_id: str
    kind: str
    key: str
    severity: Literal["low", "medium", "high", "critical"]
    detail: dict[str, Any]
    opened_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    count: int


class Refusal(Schema):
    """Why not."""

    detail: str


class Wanted(Schema):
    """Which alarms."""

    limit: int = Field(100, ge=1, le=1000)
    robot_id: str | None = Field(None, min_length=3, max_length=64)


_ERRORS: Final[dict[int, Any]] = {401: Refusal, 403: Refusal, 422: Refusal, 503: Refusal}


@router.get("/alarms", auth=Needs(Action.SEE), response={200: list[AlarmRow], **_ERRORS}, summary="Alarms, open first, newest first")
def alarms(request: HttpRequest, wanted: Query[Wanted]) -> list[Alarm]:
    """Alarms of the robots that the caller works with; none of those that are merely shared: a stranger gets an empty list."""
    found = queries.visible_to(asking(request))
    if wanted.robot_id is not None:
        found = found.filter(robot_id=wanted.robot_id)
    return list(found[: wanted.limit])
