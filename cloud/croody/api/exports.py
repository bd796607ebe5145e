"""Readings, events, alarms and the audit log as files, written out while they are read.

An export has an order that does not change, and goes on behind any row of it: `after`. What it holds is what was received until `as_of`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router

from croody.accounts.caller import Caller, again
from croody.alarms import queries as alarms
from croody.api import audit as log
from croody.api import files, rates, tables
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Problem, Wrong
from croody.api.files import Format, Row
from croody.api.slots import Export, slots
from croody.api.tables import Span, Table
from croody.audit.models import Entry
from croody.audit.queries import Wanted
from croody.fleet.access import Action, asking, need, robots
from croody.telemetry.ingest.clock import in_utc
from croody.telemetry.read.export import place_of
from croody.telemetry.read.follow import HOLE_S
from croody.web.refusals import Denied
from croody.web.streamed import streamed
from croody.web.times import Time
from croody_contract.limits import MAX_NAME_CHARS

router = Router(tags=["exports"])
MOST_ROBOTS: Final = 1000
MOST_METRICS: Final = 64
MOST_ROWS: Final = 2**53
#: Who exports is asked for again so often: a token that was revoked ends its export, in seconds.
ASKED_EVERY_S: Final = 2.0
_FILE: Final[dict[str, Any]] = {
    "responses": {
        200: {
            "description": "The file",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    }
}
_ALL: Final = {404: Problem, **ERRORS}
_Form = Annotated[Format, Query(alias="format", description="CSV or Parquet")]
_Robots = Annotated[list[str], Query(max_length=MOST_ROBOTS, description="Of these; of all that you may see without it")]
_After = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="The id of the last row that you have; a CSV then has no head")]
_Rows = Annotated[int, Query(ge=1, le=MOST_ROWS, description="How many rows at most")]
_AsOf = Annotated[Time | None, Query(description="What was received until then; 90 s ago without it, when all of that is stored")]


@router.get("/exports/readings", auth=Asks(Action.SEE), response=_ALL, openapi_extra=_FILE, summary="Readings as a file")
def readings(
    request: HttpRequest,
    start: Time,
    end: Time,
    form: _Form = "csv",
    robot_id: _Robots = [],  # noqa: B006
    metric: Annotated[list[str], Query(max_length=MOST_METRICS, description="A column each; all in one as JSON without it")] = [],  # noqa: B006
    after: _After = None,
    limit: _Rows = MOST_ROWS,
    as_of: _AsOf = None,
) -> HttpResponse:
    """By robot, time and id. A metric's column holds numbers; what is none stays empty."""
    names = _columns(metric)
    span = _span(request, Action.SEE, (start, end), robot_id, after, as_of)
    return _answer(request, "readings", form, tables.readings(span, names), after, limit, span.as_of, _still(Action.SEE, span.robot_ids))


@router.get("/exports/events", auth=Asks(Action.INSPECT), response=_ALL, openapi_extra=_FILE, summary="What robots said beside readings")
def events(
    request: HttpRequest,
    start: Time,
    end: Time,
    form: _Form = "csv",
    robot_id: _Robots = [],  # noqa: B006
    after: _After = None,
    limit: _Rows = MOST_ROWS,
    as_of: _AsOf = None,
) -> HttpResponse:
    """By robot, time and id."""
    span = _span(request, Action.INSPECT, (start, end), robot_id, after, as_of)
    return _answer(request, "events", form, tables.events(span), after, limit, span.as_of, _still(Action.INSPECT, span.robot_ids))


@router.get("/exports/alarms", auth=Asks(Action.INSPECT), response=_ALL, openapi_extra=_FILE, summary="Alarms as a file")
def alarms_file(
    request: HttpRequest,
    start: Time,
    end: Time,
    form: _Form = "csv",
    after: _After = None,
    limit: _Rows = MOST_ROWS,
) -> HttpResponse:
    """Those that were opened in the range, by id, each as it is when it is read."""
    caller = asking(request)
    begin, until = _range(start, end)
    found = alarms.known_to(caller).filter(opened_at__gte=begin, opened_at__lt=until)
    return _answer(request, "alarms", form, tables.alarms(found, after or 0), after, limit, timezone.now())


@router.get("/exports/audit", auth=Asks(Action.INSPECT), response=_ALL, openapi_extra=_FILE, summary="The audit log as a file")
def audit(
    request: HttpRequest,
    start: Time,
    end: Time,
    form: _Form = "csv",
    organisation: Annotated[str | None, Query(max_length=50, description="Its short name")] = None,
    after: _After = None,
    limit: _Rows = MOST_ROWS,
) -> HttpResponse:
    """Newest first."""
    caller = asking(request)
    begin, until = _range(start, end)
    chosen = log.chosen_organisation(caller, organisation)
    if organisation is not None and chosen is None:
        raise Denied(404, f"organisation: there is no organisation {organisation!r} whose log you may read")
    wanted = Wanted(organisation_id=chosen.pk if chosen else None, since=begin, until=until)
    first = Entry.objects.filter(pk=after).first() if after else None
    if after and first is None:
        raise _no_row(after)

    found = tables.audit(log.readable(caller), wanted, first)
    return _answer(request, "audit", form, found, after, limit, timezone.now())


def _span(
    request: HttpRequest,
    action: Action,
    span: tuple[datetime, datetime],
    robot_ids: list[str],
    after: int | None,
    as_of: datetime | None,
) -> Span:
    now = timezone.now()
    start, end = _range(*span)
    wanted = _wanted(asking(request), action, robot_ids)
    until = min(in_utc(as_of, "as_of"), now) if as_of is not None else now - timedelta(seconds=HOLE_S)
    begin = place_of(after, wanted) if after is not None else None
    if after is not None and begin is None:
        raise _no_row(after)
    return Span(wanted, start, end, until, begin)


def _still(action: Action, robot_ids: Sequence[str]) -> Callable[[Caller], None]:
    """What stops an export whose caller may not read all of it any more."""

    def check(caller: Caller) -> None:
        if robots(caller, action).filter(pk__in=list(robot_ids)).count() < len(robot_ids):
            raise ConnectionAbortedError("the export ends: its caller may not read all of it any more")

    return check


def _answer(
    request: HttpRequest,
    name: str,
    form: Format,
    table: Table,
    after: int | None,
    limit: int,
    as_of: datetime,
    still: Callable[[Caller], None] = lambda caller: None,
) -> HttpResponse:
    caller = asking(request)
    files.check(form)
    leave = slots.take(rates.key_of(caller, request))
    pieces = files.make(form, table.columns, limited(_watched(table.pages, caller, still), limit), head=after is None)
    headers = {
        "Content-Disposition": f'attachment; filename="croody-{name}.{form}"',
        "Cache-Control": "no-store",
        "Export-As-Of": as_of.isoformat(),
    }
    return Export(streamed(request, pieces), leave, content_type=files.TYPES[form], headers=headers)  # type: ignore[return-value]


def _watched(found: Iterable[list[Row]], caller: Caller, still: Callable[[Caller], None]) -> Iterator[list[Row]]:
    """The same, as long as the caller is who they were."""
    asked_at = time.monotonic()
    for rows in found:
        if time.monotonic() - asked_at > ASKED_EVERY_S:
            now_caller = again(caller)
            if now_caller.kind != caller.kind:
                raise ConnectionAbortedError("the export ends: its key was revoked")
            still(now_caller)
            asked_at = time.monotonic()
        yield rows


def limited(found: Iterable[list[Row]], limit: int) -> Iterator[list[Row]]:
    """The first so many."""
    left = limit
    for rows in found:
        yield rows[:left]
        left -= len(rows)
        if left <= 0:
            return


def _columns(metrics: Sequence[str]) -> list[str]:
    """The metrics, each once: of two columns of one name, programs read one or none."""
    for one in metrics:
        if not 1 <= len(one) <= MAX_NAME_CHARS or not one.isprintable():
            raise Wrong("metric", one, f"a name of 1 to {MAX_NAME_CHARS} characters that can be shown", "name it as the robot sends it")
        if one in tables.OWN_COLUMNS:
            raise Wrong("metric", one, "another column has this name", "leave metric out: data then holds all of them")
    return list(dict.fromkeys(metrics))


def _wanted(caller: Caller, action: Action, robot_ids: list[str]) -> list[str]:
    if robot_ids:
        return [need(caller, action, one).pk for one in dict.fromkeys(robot_ids)]
    found = list(robots(caller, action).order_by("pk").values_list("pk", flat=True)[: MOST_ROBOTS + 1])
    if len(found) > MOST_ROBOTS:
        raise Wrong("robot_id", "all", f"{MOST_ROBOTS} robots in one export", "name the robots that you want")
    return found


def _range(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    begin, until = in_utc(start, "start"), in_utc(end, "end")
    if begin >= until:
        raise Wrong("start", begin.isoformat(), f"before end {until.isoformat()}", "send an earlier start")
    return begin, until


def _no_row(after: int) -> Wrong:
    return Wrong("after", after, "a row of this export that is still there", "begin again without it: it may be past retention")
