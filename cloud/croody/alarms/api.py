"""Alarms over HTTP: the list, open first, and closing one. Mounted by the telemetry role; knows requests, never causes."""

from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from croody.accounts.caller import actor_of
from croody.alarms import acts, queries, services
from croody.alarms.answer import AlarmRow, rows
from croody.fleet.access import Action, Needs, asking
from croody.web.refusals import Denied

router = Router(tags=["alarms"])


class Refusal(Schema):
    """Why not."""

    detail: str


class Wanted(Schema):
    """Which alarms."""

    limit: int = Field(100, ge=1, le=1000)
    robot_id: str | None = Field(None, min_length=3, max_length=64)
    after: int | None = Field(None, ge=1, le=2**63 - 1, description="The last alarm that you have: what comes behind it in the list")


_ERRORS: Final[dict[int, Any]] = {401: Refusal, 403: Refusal, 422: Refusal, 503: Refusal}


@router.get(
    "/alarms", auth=Needs(Action.SEE), response={200: list[AlarmRow], 404: Refusal, **_ERRORS}, summary="Alarms, open first, newest first"
)
def alarms(request: HttpRequest, wanted: Query[Wanted]) -> list[dict[str, Any]]:
    """Alarms of the robots that the caller works with; none of those that are merely shared: a stranger gets an empty list.

    Many robots with one cause in a minute are one alarm; asked for one robot, its own are given. `after` leads through all of them.
    """
    caller = asking(request)
    found = queries.in_one_list(caller) if wanted.robot_id is None else queries.visible_to(caller)
    return rows(queries.listed(found, wanted.limit, wanted.after, wanted.robot_id or ""), caller)


@router.post(
    "/alarms/{int:number}/resolve",
    auth=Needs(Action.ACT),
    response={200: AlarmRow, 404: Refusal, 409: Refusal, **_ERRORS},
    summary="Close an alarm that somebody has dealt with",
)
def resolve(request: HttpRequest, number: int) -> dict[str, Any]:
    """It opens anew when its cause comes again; one of many robots is closed for all. 409 for one that ends by itself alone: `offline`."""
    caller = asking(request)
    try:
        return rows([acts.close_as(caller, number, datetime.now(UTC), actor=actor_of(request, caller))], caller)[0]
    except services.EndsByItself as error:
        raise Denied(409, str(error)) from error
