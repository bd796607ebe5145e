"""Alarms: the list, one, its history, and what people do about it. The same services act for the console."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Path, Query, Router

from croody.accounts.caller import Caller, actor_of
from croody.alarms import acts, answer, queries, services, suppressions, undo
from croody.alarms.act_transaction import BadAct, Done, Late
from croody.alarms.models import Act, Alarm
from croody.api import cursor as places
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Conflict, Problem, Wrong
from croody.api.pages import Cursor, Limit, page
from croody.api.request_bodies import AssignIn, CommentIn, FalseIn, SeenIn, SnoozeIn
from croody.api.schemas import AlarmOut, AlarmsOut, ExceptionOut, ExceptionsOut, HistoryOut
from croody.audit.actor import Actor
from croody.fleet.access import Action, asking
from croody.web.refusals import Denied

router = Router(tags=["alarms"])
#: What people made of it, which `croody.alarms.answer` does not say.
_BY_PEOPLE: Final = ("revision", "acknowledged_at", "snoozed_until", "false")
_ALL: Final = {404: Problem, **ERRORS}
#: Of an act.
_DONE: Final[dict[int, Any]] = {200: AlarmOut, 409: Problem, **_ALL}
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
_NOTHING_SEEN: Final = SeenIn()
Seen = Annotated[SeenIn, Body()]


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
    return shown([_known(caller, number)], caller)[0]


@router.get("/alarms/{number}/history", auth=Asks(Action.INSPECT), response={200: HistoryOut, **_ALL}, summary="What people did about it")
def history(request: HttpRequest, number: Number, limit: Limit = 100, cursor: Cursor = "") -> dict[str, Any]:
    """The newest first."""
    found = _known(asking(request), number).acts.order_by("-pk")
    if cursor:
        found = found.filter(pk__lt=places.read(cursor, tuple[int])[0])
    return page(list(found[: limit + 1]), limit, lambda some: [_act(one) for one in some], lambda one: places.written(one.pk))


@router.post("/alarms/{number}/acknowledge", auth=Asks(Action.ACT), response=_DONE, summary="Say that you have seen it")
def acknowledge(request: HttpRequest, number: Number, body: Seen = _NOTHING_SEEN) -> dict[str, Any]:
    """Whoever does so takes it, when nobody had."""
    return _do(request, lambda caller, by, now: acts.acknowledge(caller, number, by=by, now=now, seen=body.revision))


@router.post("/alarms/{number}/assign", auth=Asks(Action.ACT), response=_DONE, summary="Give it to somebody")
def assign(request: HttpRequest, number: Number, body: AssignIn) -> dict[str, Any]:
    """To somebody who may act on it, or with null to nobody."""

    def act(caller: Caller, by: Actor, now: datetime) -> Done:
        return acts.assign(caller, number, _person(caller, number, body.person), by=by, now=now, seen=body.revision)

    return _do(request, act)


@router.post("/alarms/{number}/snooze", auth=Asks(Action.ACT), response=_DONE, summary="Put it out of sight for a while")
def snooze(request: HttpRequest, number: Number, body: SnoozeIn) -> dict[str, Any]:
    """Seven days at most; one that gets worse comes back at once."""
    return _do(request, lambda caller, by, now: acts.snooze(caller, number, body.until, by=by, now=now, seen=body.revision))


@router.post("/alarms/{number}/comment", auth=Asks(Action.ACT), response=_DONE, summary="Write a line into its history")
def comment(request: HttpRequest, number: Number, body: CommentIn) -> dict[str, Any]:
    """Also when it is over."""
    return _do(request, lambda caller, by, now: acts.comment(caller, number, body.text, by=by, now=now))


@router.post("/alarms/{number}/false", auth=Asks(Action.ACT), response=_DONE, summary="Say that it was no alarm")
def mark_false(request: HttpRequest, number: Number, body: FalseIn) -> dict[str, Any]:
    """Until then those like it are counted and not shown: of this cause, this robot, or the organisation. Ninety days at most."""
    scope = acts.Scope(body.scope)
    return _do(request, lambda caller, by, now: acts.mark_false(caller, number, scope, body.until, by=by, now=now, seen=body.revision))


@router.post("/alarms/{number}/resolve", auth=Asks(Action.ACT), response=_DONE, summary="Close an alarm that somebody has dealt with")
def resolve(request: HttpRequest, number: Number, body: Seen = _NOTHING_SEEN) -> dict[str, Any]:
    """It opens anew when its cause comes again. One that is over stays as it is; 409 for one that ends by itself alone."""

    def act(caller: Caller, by: Actor, now: datetime) -> Alarm:
        if body.revision is None:
            return acts.close_as(caller, number, now, actor=by)
        return acts.resolve(caller, number, by=by, now=now, seen=body.revision).alarm

    return _do(request, act)


@router.post("/alarms/{number}/reopen", auth=Asks(Action.ACT), response=_DONE, summary="Open again what is closed")
def reopen(request: HttpRequest, number: Number, body: Seen = _NOTHING_SEEN) -> dict[str, Any]:
    """409 where its cause has another open alarm by now."""
    return _do(request, lambda caller, by, now: undo.reopen(caller, number, by=by, now=now, seen=body.revision))


@router.get("/exceptions", auth=Asks(Action.INSPECT), response={200: ExceptionsOut, **ERRORS}, summary="What is held back as false alarms")
def exceptions(request: HttpRequest) -> dict[str, Any]:
    """Those that hold now, the one that ends last first. An organisation has two hundred at most."""
    found = suppressions.visible_to(asking(request), timezone.now())[: suppressions.MOST]
    return {"items": [_exception(one) for one in found], "next": None}


@router.post(
    "/exceptions/{number}/end", auth=Asks(Action.ACT), response={200: ExceptionOut, **_ALL}, summary="Let such alarms be seen again"
)
def end_exception(request: HttpRequest, number: Number) -> dict[str, Any]:
    """Those that are open now, too."""
    caller, now = asking(request), timezone.now()
    held = acts.end_suppression(caller, number, by=actor_of(request, caller), now=now)
    held.refresh_from_db()
    return _exception(held)


def shown(found: list[Alarm], caller: Caller) -> list[dict[str, Any]]:
    """These alarms as they are answered."""
    given = {alarm.assignee_id for alarm in found if alarm.assignee_id is not None}
    names: dict[int | None, str] = dict(User.objects.filter(pk__in=given).values_list("pk", "username")) if given else {}
    return [
        row | {name: getattr(alarm, name) for name in _BY_PEOPLE} | {"assignee": names.get(alarm.assignee_id)}
        for alarm, row in zip(found, answer.rows(found, caller), strict=True)
    ]


def _do(request: HttpRequest, act: Callable[[Caller, Actor, datetime], Done | Alarm]) -> dict[str, Any]:
    """Do it, and answer the alarm as it is then.

    Raises:
        Conflict: somebody was first, or it ends by itself alone.
    """
    caller, now = asking(request), timezone.now()
    try:
        done = act(caller, actor_of(request, caller), now)
        return shown([done.alarm if isinstance(done, Done) else done], caller)[0]
    except Late as late:
        raise Conflict(str(late), "late") from late
    except services.EndsByItself as error:
        raise Conflict(str(error), "ends_by_itself") from error
    except BadAct as error:
        raise Wrong.said(str(error), "bad_act") from error


def _known(caller: Caller, number: int) -> Alarm:
    found = queries.known_to(caller).filter(pk=number).first()
    if found is None:
        raise Denied(404, f"number: there is no alarm {number} that you may see")
    return found


def _person(caller: Caller, number: int, username: str | None) -> int | None:
    """Whose number it is. Somebody who may not be given it is not told apart from nobody."""
    if username is None:
        return None
    alarm = _known(caller, number)
    services.check_may_act(caller, alarm)
    found = next((user for user in acts.assignable(alarm, caller) if user.username == username), None)
    if found is None:
        raise Wrong("person", username, "somebody who may act on this alarm", "send the user name of an operator of its organisation")
    return found.pk


def _act(act: Act) -> dict[str, Any]:
    return {"id": act.pk, "verb": act.verb, "at": act.at, "by": act.by_name, "said": act.said, "undone_at": act.undone_at}


def _exception(held: Any) -> dict[str, Any]:
    names = ("scope", "robot_id", "kind", "key", "created_at", "expires_at", "hits", "last_hit_at")
    return {"number": held.pk, **{name: getattr(held, name) for name in names}, "by": held.by_name}
