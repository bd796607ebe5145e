"""`/console/robots/<id>/`: the page, its stream, what its charts draw, its log. What is changed here is in `acts`."""

from typing import Any, Final

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import Caller, of_session
from croody.console import frame, page_access
from croody.console.robot import charts, facts, page, viewers
from croody.console.robot.log import page as log_page
from croody.console.robot.log import parsed
from croody.console.robot.rotation import rotation_of
from croody.console.robot.selection import MOST, RANGES, Asked
from croody.console.robot.stream import View, feed
from croody.console.robot.words.delivery import letter
from croody.console.robot.words.lines import line
from croody.fleet import access
from croody.fleet.access import Action
from croody.fleet.models import Credential, Robot
from croody.fleet.ticket import ticket_of
from croody.live.page_feed import Viewer
from croody.live.views import answer, follow
from croody.telemetry.read.metric_infos import said_by_robot
from croody.telemetry.read.series import series
from croody.telemetry.read.snapshots import picture as one_picture
from croody.web import units
from croody.web.refusals import Denied
from croody_contract.messages import Refused

#: Rows of the table behind a chart.
ROWS: Final = 400


@require_GET
@page_access.page(Action.INSPECT)
def robot(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """Is it well; if not, value against limit, what changed before, what to do."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    try:
        row = page_access.robot(caller, Action.INSPECT, robot_id)
    except Denied:
        gone = revoked(caller, robot_id)
        if gone is None:
            raise
        return frame.draw(request, "console/robot/revoked.html", {"robot": gone}, page="fleet")
    known = facts.now_of(row, now)
    slow = facts.slow_of(known, now)
    acts = access.may(caller, Action.ACT, row)
    people = viewers.at([robot_id], now).get(robot_id, ())
    others = tuple(person.name for person in people if person.user_id != caller.user_id)
    shown = page.robot(page.Known(known, slow, feed.rate_of(robot_id), others, acts), now, language)
    asked = Asked.of(request.GET.dict(), request.GET.getlist("m"))
    return frame.draw(
        request,
        "console/robot/robot.html",
        {
            **shown.context,
            **_charts(known, asked, language),
            **_tabs(row, slow, known, caller, language),
            "deaf_since": known.deaf_since,
            "live": True,
            "version": shown.picture.version,
            "now": now.timestamp(),
        },
        page="fleet",
    )


def _charts(known: facts.Now, asked: Asked, language: str) -> dict[str, Any]:
    names = charts.chosen(asked, known.entry.values)
    every, said = facts.numeric(known.entry.values), known.entry.said
    return {
        "asked": asked,
        "ranges": [{"name": name, "address": asked.address(range=name), "current": asked.live and asked.range == name} for name in RANGES],
        "lanes": [charts.Lane.of(name, language, said) for name in names],
        "choices": [{"lane": charts.Lane.of(name, language, said), "chosen": name in names} for name in dict.fromkeys((*names, *every))],
        "most": MOST,
        "said": charts.sentences(),
        "query": asked.address(),
    }


def _tabs(row: Robot, slow: facts.Slow, known: facts.Now, caller: Caller, language: str) -> dict[str, Any]:
    credential = Credential.objects.filter(robot=row).first()
    return {
        "acts": access.may(caller, Action.ACT, row),
        "configures": access.may(caller, Action.CONFIGURE, row),
        "administers": access.may(caller, Action.ADMINISTER, row),
        "credential": credential,
        "rotation": rotation_of(row.pk, slow.start, slow.kinds, timezone.now()),
        "configuration": page.configuration(slow.start, known.queue_interval, language),
        "letter_rows": [letter(one, language) for one in facts.letters(row.pk)] if slow.letters else [],
    }


def revoked(caller: Caller, robot_id: str) -> Robot | None:
    """A robot that was shut out, for who may bring it back."""
    row = Robot.objects.filter(pk=robot_id, deleted_at__isnull=False).first() if "\x00" not in robot_id else None
    if row is None or not access.organisations(caller, Action.ADMINISTER).filter(pk=row.organisation_id).exists():
        return None
    return row


@require_GET
@page_access.page(Action.INSPECT)
def stream(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """What changes on the page, once a second, as server-sent events `page`."""
    try:
        caller = of_session(request)
        page_access.robot(caller, Action.INSPECT, robot_id)
        ticket = ticket_of(request, caller)
    except DatabaseError:
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    view = View(ticket.caller, get_language() or "es", robot_id, units.current())
    return answer(follow(feed, Viewer(view, request.GET.get("version", "")[:64]), ticket))


@require_GET
@page_access.page(Action.INSPECT)
def drawing(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """What the charts draw, as JSON. 422 names what cannot be asked for."""
    now = timezone.now()
    row = page_access.robot(of_session(request), Action.INSPECT, robot_id)
    asked = Asked.of(request.GET.dict(), request.GET.getlist("m"))
    interval_s = facts.interval_of(row.pk)
    try:
        found = charts.drawn(row, asked.metrics, asked, interval_s, now=now, language=get_language() or "es")
    except Refused as refused:
        return JsonResponse({"detail": str(refused)}, status=422)
    return JsonResponse(found | {"now": now.timestamp()}, json_dumps_params={"separators": (",", ":")})


@require_GET
@page_access.page(Action.INSPECT)
def table(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """The same numbers as a table: whole, or the piece that a chart opens."""
    now, language = timezone.now(), get_language() or "es"
    row = page_access.robot(of_session(request), Action.INSPECT, robot_id)
    asked = Asked.of(request.GET.dict(), request.GET.getlist("m"))
    names = asked.metrics or charts.chosen(asked, facts.now_of(row, now).entry.values)
    said = said_by_robot(row.pk)
    context: dict[str, Any] = {"robot": row, "asked": asked, "lanes": [charts.Lane.of(name, language, said) for name in names], "rows": []}
    try:
        if names:
            start, end = asked.span(now)
            found = series([row.pk], names, start, end, now=now, buckets=ROWS)
            context |= {"rows": charts.table(found, names, language, said)[:ROWS], "note": charts.note(found, language)}
    except Refused as refused:
        context["refused"] = str(refused)
    if request.headers.get("HX-Request"):
        return render(request, "console/robot/rows.html", context)
    return frame.draw(request, "console/robot/table.html", context, page="fleet")


@require_GET
@page_access.page(Action.INSPECT)
def log(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """All that happened to it, in pages of a hundred."""
    now, language = timezone.now(), get_language() or "es"
    row = page_access.robot(of_session(request), Action.INSPECT, robot_id)
    until, skip = parsed(request.GET.get("before", ""), now)
    found = log_page(row.pk, until, skip=skip)
    context = {"robot": row, "lines": [line(item, language) for item in found.items], "older": found.older, "newest": until == now}
    return frame.draw(request, "console/robot/log.html", context, page="fleet")


@require_GET
@page_access.page(Action.INSPECT)
def picture(request: HttpRequest, robot_id: str, number: int) -> HttpResponseBase:
    """What a camera saw, as the robot sent it: it was judged by its content when it came."""
    row = page_access.robot(of_session(request), Action.INSPECT, robot_id)
    found = one_picture(row.pk, number)
    if found is None:
        raise Denied(404, f"{row.pk} has no picture {number}")
    return HttpResponse(bytes(found.jpeg), content_type="image/jpeg", headers={"Content-Disposition": "inline"})
