"""Robots, sites and organisations: which there are, how each robot is, and what it measures now. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import unquote

import msgspec
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import BeforeValidator

from croody.accounts.caller import Caller
from croody.alarms import queries as alarms
from croody.api import cursor as places
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Problem
from croody.api.pages import Cursor, Limit, page
from croody.api.schemas import OrganisationsOut, RobotOut, RobotsOut, SiteOut, SitesOut, ValuesOut
from croody.fleet.access import Action, asking, need, organisations, robots, visible_to
from croody.fleet.models import Robot, Site
from croody.liveness import judge
from croody.liveness.judge import State
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of
from croody.telemetry.read.newest import newest_of
from croody.web.refusals import Denied

router = Router(tags=["fleet"])
_ALL: Final = {404: Problem, **ERRORS}
#: Who asks for a state has so many robots looked at for one page; `next` leads on.
_LOOKED_AT: Final = 5000
_AT_ONCE: Final = 500
#: `web.escaped_parts` leaves the slash of an id escaped, so that it parts no address.
RobotId = Annotated[
    str,
    BeforeValidator(unquote),
    Path(min_length=1, max_length=64, description="A robot's id, escaped as one part of an address: a slash is `%2F`"),
]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Word = Annotated[str | None, Query(max_length=120)]


@router.get("/robots", auth=Asks(Action.SEE), response={200: RobotsOut, **ERRORS}, summary="Robots, by their ids")
def robots_page(
    request: HttpRequest,
    limit: Limit = 100,
    cursor: Cursor = "",
    organisation: Annotated[str | None, Query(max_length=50, description="Its short name")] = None,
    site: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Its number")] = None,
    kind: Annotated[str | None, Query(max_length=32)] = None,
    state: Annotated[State | None, Query(description="As it is judged now")] = None,
    shared: Annotated[bool | None, Query(description="Whether it is shared with the public")] = None,
    tag: Annotated[str | None, Query(max_length=32, description="One of its tags, of robots that you work with")] = None,
    q: Annotated[str | None, Query(max_length=64, description="Part of its id, in capitals or not")] = None,
) -> dict[str, Any]:
    """Those that you may see. With `state` or `tag` a page may hold fewer than `limit`; `next` leads through all of them."""
    caller, now = asking(request), timezone.now()
    wanted = {"organisation__slug": organisation, "site": site, "kind": kind, "shared": shared, "robot_id__icontains": q}
    found = visible_to(caller) if tag is None else robots(caller, Action.INSPECT)
    found = found.filter(**{name: value for name, value in wanted.items() if value is not None})
    found = found.select_related("organisation", "site").order_by("robot_id")
    after = places.read(cursor, tuple[str])[0] if cursor else ""
    if state is None and tag is None:
        return page(list(found.filter(robot_id__gt=after)[: limit + 1]), limit, lambda some: shown(some, caller, now), _place)
    looked_at, kept = 0, list[Robot]()
    while looked_at < _LOOKED_AT:
        some = list(found.filter(robot_id__gt=after)[:_AT_ONCE])
        fit = [robot for robot in some if tag is None or tag in (robot.tags or ())]
        states = states_of([robot.pk for robot in fit], now) if state is not None else {}
        kept += [robot for robot in fit if state is None or states[robot.pk] is state]
        if len(kept) > limit or len(some) < _AT_ONCE:
            return page(kept, limit, lambda some: shown(some, caller, now), _place)
        looked_at, after = looked_at + len(some), some[-1].pk
    return {"items": shown(kept, caller, now), "next": places.written(after)}


@router.get("/robots/{robot_id}", auth=Asks(Action.SEE), response={200: RobotOut, **_ALL}, summary="One robot")
def robot(request: HttpRequest, robot_id: RobotId) -> dict[str, Any]:
    """How it is now."""
    caller = asking(request)
    need(caller, Action.SEE, robot_id)
    found = Robot.objects.select_related("organisation", "site").get(pk=robot_id)
    return shown([found], caller, timezone.now())[0]


@router.get("/robots/{robot_id}/values", auth=Asks(Action.SEE), response={200: ValuesOut, **_ALL}, summary="What one robot measures now")
def values(request: HttpRequest, robot_id: RobotId) -> dict[str, Any]:
    """Of its newest reading, with the reading's age: a value is never newer than that."""
    need(asking(request), Action.SEE, robot_id)
    now = timezone.now()
    newest = newest_of([robot_id]).get(robot_id)
    if newest is None:
        raise Denied(404, f"robot_id: {robot_id} has sent no reading yet")
    row = msgspec.json.decode(newest.row)
    known = {name: row.get(name) for name in ("position", "environment", "status")}
    return {
        "robot_id": robot_id,
        "at": row["ts"],
        "heard_at": newest.heard_at,
        "age_s": max(0.0, round((now - newest.heard_at).total_seconds(), 3)),
        "state": states_of([robot_id], now)[robot_id],
        "values": row["data"],
        **known,
    }


@router.get("/sites", auth=Asks(Action.SEE), response={200: SitesOut, **ERRORS}, summary="Sites, by their numbers")
def sites_page(request: HttpRequest, limit: Limit = 100, cursor: Cursor = "", organisation: Word = None) -> dict[str, Any]:
    """Those of your organisations, and those where a robot works that you may see."""
    caller = asking(request)
    found = _sites(caller).filter(**({"organisation__slug": organisation} if organisation is not None else {}))
    after = places.read(cursor, tuple[int])[0] if cursor else 0
    rows = list(found.filter(pk__gt=after).order_by("pk")[: limit + 1])
    return page(rows, limit, lambda some: _site_rows(some, caller), lambda one: places.written(one.pk))


@router.get("/sites/{number}", auth=Asks(Action.SEE), response={200: SiteOut, **_ALL}, summary="One site with its plan")
def site(request: HttpRequest, number: Number) -> dict[str, Any]:
    """The plan is in metres; `origin` is where its corner lies on Earth, where that is known."""
    caller = asking(request)
    found = _sites(caller).filter(pk=number).first()
    if found is None:
        raise Denied(404, f"number: there is no site {number} that you may see")
    return _site_rows([found], caller)[0] | {"plan": found.plan}


@router.get("/organisations", auth=Asks(Action.SEE), response={200: OrganisationsOut, **ERRORS}, summary="Organisations that you are in")
def organisations_page(request: HttpRequest, limit: Limit = 100, cursor: Cursor = "") -> dict[str, Any]:
    """With your role in each; null for who runs the site and is in none of them."""
    caller = asking(request)
    after = places.read(cursor, tuple[int])[0] if cursor else 0
    found = organisations(caller, Action.SEE).filter(pk__gt=after).order_by("pk")
    roles = dict(caller.roles)

    def rows(some: Sequence[Any]) -> list[dict[str, Any]]:
        there = Robot.objects.filter(deleted_at=None, organisation__in=[one.pk for one in some])
        numbers = dict(there.order_by().values_list("organisation").annotate(Count("pk")))
        return [{"slug": one.slug, "name": one.name, "role": roles.get(one.pk), "robot_count": numbers.get(one.pk, 0)} for one in some]

    return page(list(found[: limit + 1]), limit, rows, lambda one: places.written(one.pk))


def states_of(robot_ids: Sequence[str], now: datetime) -> dict[str, State]:
    """How each of these robots is; as of when the cloud last heard anything, while it hears nothing."""
    heard = listening()
    judged_at = heard[1] if heard is not None and judge.deaf(now, heard[1]) else now
    return {robot_id: judge.public(judge.state(judged_at, signs)) for robot_id, signs in signs_of(robot_ids).items()}


def shown(found: Sequence[Robot], caller: Caller, now: datetime) -> list[dict[str, Any]]:
    """These robots as they are answered, in a few queries."""
    ids = [one.pk for one in found]
    states, newest = states_of(ids, now), newest_of(ids)
    mine = set(robots(caller, Action.INSPECT).filter(pk__in=ids).values_list("pk", flat=True))
    opened = alarms.open_counts(mine)
    return [
        _team(one, opened.get(one.pk, 0), now, mine=one.pk in mine)
        | {
            "robot_id": one.pk,
            "kind": one.kind,
            "organisation": one.organisation.slug,
            "site": {"number": one.site.pk, "slug": one.site.slug, "name": one.site.name} if one.site else None,
            "shared": one.shared,
            "created_at": one.created_at,
            "state": states[one.pk],
            "heard_at": newest[one.pk].heard_at if one.pk in newest else None,
        }
        for one in found
    ]


def _team(one: Robot, open_alarms: int, now: datetime, *, mine: bool) -> dict[str, Any]:
    """What only its team is told."""
    if not mine:
        return dict.fromkeys(("open_alarms", "label", "tags", "notes", "maintenance"))
    until = one.maintenance_until
    maintenance = {
        "until": until,
        "since": one.maintenance_since,
        "by": one.maintenance_by,
        "reason": one.maintenance_reason,
    }
    return {
        "open_alarms": open_alarms,
        "label": one.label,
        "tags": one.tags or [],
        "notes": one.notes,
        "maintenance": maintenance if until is not None and until > now else None,
    }


def _place(one: Robot) -> str:
    return places.written(one.pk)


def _sites(caller: Caller) -> Any:
    used = visible_to(caller).filter(site__isnull=False).order_by().values("site")
    return Site.objects.select_related("organisation").filter(Q(pk__in=used) | Q(organisation__in=organisations(caller, Action.SEE)))


def _site_rows(found: Sequence[Site], caller: Caller) -> list[dict[str, Any]]:
    counted = visible_to(caller).filter(site__in=[one.pk for one in found]).order_by().values_list("site").annotate(Count("pk"))
    numbers = dict(counted)
    return [
        {
            "number": one.pk,
            "slug": one.slug,
            "name": one.name,
            "organisation": one.organisation.slug,
            "robot_count": numbers.get(one.pk, 0),
            "origin": {"lat": one.origin_lat, "lng": one.origin_lng} if one.origin_lat is not None and one.origin_lng is not None else None,
        }
        for one in found
    ]
