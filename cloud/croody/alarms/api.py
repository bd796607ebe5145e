"""Alarms over HTTP: the list, open first, and closing one. Mounted by the telemetry role; knows requests, never causes."""

from datetime import UTC, datetime
from typing import Any, Final, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from croody.alarms import queries, services
from croody.alarms.models import Alarm
from croody.fleet.access import Action, Needs, asking, may, names_of
from croody.fleet.models import Robot
from croody.web.refusals import Denied

router = Router(tags=["alarms"])
_MOST_ID: Final = 2**63 - 1


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


@router.post(
    "/alarms/{int:number}/resolve",
    auth=Needs(Action.ACT),
    response={200: AlarmRow, 404: Refusal, 409: Refusal, **_ERRORS},
    summary="Close an alarm that somebody has dealt with",
)
def resolve(request: HttpRequest, number: int) -> Alarm:
    """It opens anew when its cause comes again. 409 for one that ends by itself alone, such as `offline`."""
    caller = asking(request)
    alarm = queries.visible_to(caller).filter(pk=number).first() if number <= _MOST_ID else None
    if alarm is None:
        raise Denied(404, f"there is no alarm {number} that you may see")
    robot = Robot.objects.filter(pk=alarm.robot_id).first()
    if not caller.superuser and (robot is None or not may(caller, Action.ACT, robot)):
        raise Denied(403, f"alarm {number}: only {names_of(Action.ACT)} of {alarm.robot_id}'s organisation may close it")
    try:
        return services.resolve_by_person(alarm, datetime.now(UTC))
    except services.EndsByItself as error:
        raise Denied(409, str(error)) from error
