"""Alarms: the list, one, and what may be done about it. The same services act for the console."""

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router

from croody.accounts.caller import Caller, actor_of
from croody.alarms import acts, queries, services
from croody.alarms.models import Alarm
from croody.alarms.storms import STORM
from croody.api import cursor as places
from croody.api.errors import ERRORS, Problem, Wrong
from croody.api.keys import Asks
from croody.api.pages import Cursor, Limit, page
from croody.api.schemas import AlarmOut, AlarmsOut
from croody.fleet.access import Action, asking
from croody.web.refusals import Denied

router = Router(tags=["alarms"])
#: Robots of one alarm that are named; all are counted.
_NAMED: Final = 100
_FIELDS: Final = ("id", "robot_id", "kind", "key", "severity", "detail", "opened_at", "last_at", "resolved_at", "count")
_ALL: Final = {404: Problem, **ERRORS}
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/alarms", auth=Asks(Action.INSPECT), response={200: AlarmsOut, **_ALL}, summary="Alarms, open first, newest first")
def alarms(
    request: HttpRequest,
    limit: Limit = 100,
    cursor: Cursor = "",
    status: Annotated[Literal["open", "over", "all"], Query(description="Whether it still holds")] = "open",
    robot_id: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    severity: Annotated[Literal["low", "medium", "high", "critical"] | None, Query(description="Of open ones")] = None,
    kind: Annotated[str | None, Query(max_length=64, description="Of open ones")] = None,
) -> dict[str, Any]:
    """Of the robots that you work with. Many robots with one cause in a minute are one alarm; asked for one robot, its own are given."""
    caller = asking(request)
    wanted = {name: value for name, value in (("severity", severity), ("kind", kind)) if value is not None}
    if wanted and status != "open":
        name, value = next(iter(wanted.items()))
        raise Wrong(name, value, "only open alarms can be asked for by it", "leave it out, or ask with status=open")
    found = queries.in_one_list(caller) if robot_id is None else queries.visible_to(caller)
    found = found.filter(**wanted, **({} if status == "all" else {"resolved_at__isnull": status == "open"}))
    after = places.read(cursor, tuple[int])[0] if cursor else None
    rows = queries.listed(found, limit + 1, after, robot_id or "")
    return page(rows, limit, lambda some: shown(list(some), caller), lambda one: places.written(one.pk))


@router.get("/alarms/{number}", auth=Asks(Action.INSPECT), response={200: AlarmOut, **_ALL}, summary="One alarm")
def alarm(request: HttpRequest, number: Number) -> dict[str, Any]:
    """Open or over."""
    caller = asking(request)
    found = queries.visible_to(caller).filter(pk=number).first()
    if found is None:
        raise Denied(404, f"number: there is no alarm {number} that you may see")
    return shown([found], caller)[0]


@router.post(
    "/alarms/{number}/resolve",
    auth=Asks(Action.ACT),
    response={200: AlarmOut, 409: Problem, **_ALL},
    summary="Close an alarm that somebody has dealt with",
)
def resolve(request: HttpRequest, number: Number) -> dict[str, Any]:
    """It opens anew when its cause comes again. 409 for one that ends by itself alone."""
    caller = asking(request)
    try:
        return shown([acts.close_as(caller, number, timezone.now(), actor=actor_of(request, caller))], caller)[0]
    except services.EndsByItself as error:
        raise Denied(409, str(error)) from error


def shown(found: list[Alarm], caller: Caller) -> list[dict[str, Any]]:
    """These alarms as they are answered."""
    robots = queries.robots_of(found, caller, _NAMED)
    return [_row(alarm, robots[alarm.pk]) for alarm in found]


def _row(alarm: Alarm, robots: queries.Robots) -> dict[str, Any]:
    row = {name: getattr(alarm, name) for name in _FIELDS}
    if alarm.kind == STORM.code:
        row |= {"kind": alarm.detail.get("kind", alarm.kind), "key": "", "detail": {}}
    return row | {"robots": list(robots.names), "robot_count": robots.how_many, "part_of": alarm.part_of_id}
