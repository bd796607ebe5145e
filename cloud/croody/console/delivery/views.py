"""`/console/delivery/` and what is below it. What is changed here calls one service each."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from croody.accounts.caller import actor_of, of_session
from croody.accounts.preferences import zone_of
from croody.console import csv_file, frame, page_access
from croody.console.delivery import facts, words
from croody.console.delivery.selection import MOST_DAYS, WHAT, Period, Selection, has
from croody.fleet.access import Action, may
from croody.fleet.models import Robot
from croody.telemetry.ingest import services
from croody.telemetry.ingest.discard import discard as throw_away
from croody.telemetry.models import DeadLetter
from croody.telemetry.not_again import not_again
from croody.telemetry.read import proof as proofs
from croody.telemetry.read.proof import Line, Sums
from croody.web.address import whole
from croody.web.refusals import Denied
from croody_contract import ranges

_MOST_ID: Final = 2**63 - 1
#: Streams that a page of a proof lists; its file has all.
_LINES: Final = 200
_COLUMNS: Final = (
    "robot_id", "since", "until", "stream", "first", "last", "expected", "stored", "missing", "dropped", "dead_letters",
    "missing_ranges", "dropped_ranges", "dead_ranges",
)  # fmt: skip


@require_GET
@page_access.page()
def deliveries(request: HttpRequest) -> HttpResponseBase:
    """Is anything missing; of which robots."""
    language = get_language() or "es"
    asked, robots = Selection.of(request.GET.dict()), facts.listed(of_session(request))
    shown, page, pages = asked.shown(asked.chosen(robots))
    names = {"gaps": _("Con huecos"), "dead": _("Con cartas muertas"), "dropped": _("Con perdidas declaradas")}
    chips = [("", _("Todos"), len(robots)), *((what, names[what], sum(has(one, what) for one in robots)) for what in WHAT)]
    context = {
        "sentence": words.sentence(robots, language),
        "aside": words.aside(robots, language),
        "rows": [words.row(one, language) for one in shown],
        "asked": asked,
        "chips": [
            {"words": said, "count": count, "address": asked.address(what=what), "current": asked.what == what}
            for what, said, count in chips
        ],
        "page_number": page,
        "pages": pages,
        "previous": asked.address(page=page - 1) if page > 1 else "",
        "next": asked.address(page=page + 1) if page < pages else "",
    }
    return frame.draw(request, "console/delivery/deliveries.html", context, page="delivery")


@require_GET
@page_access.page(Action.INSPECT)
def of_robot(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """What is missing of one robot and what is done about it, its dead letters, what it declared lost."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    robot = page_access.robot(caller, Action.INSPECT, robot_id)
    before = whole(request.GET.get("before", ""))
    found = facts.one(robot, _MOST_ID if before is None else before, now)
    context = {
        "robot": robot,
        "sentence": words.of_robot(found, language),
        "sums": words.row(facts.Listed(robot.pk, robot.label, found.sums), language),
        "gaps": [words.gap_row(gap, found.state, now, language) for gap in found.gaps],
        "lost": [words.lost_row(lost, language) for lost in found.lost],
        "streams": [words.stream_row(stream, language) for stream in found.streams],
        "letters": [words.letter_row(letter, language) for letter in found.letters],
        "older": found.letters[-1].pk if found.more_letters else 0,
        "may_act": may(caller, Action.ACT, robot),
        "period": Period.of({}, now, zone_of(request)),
    }
    return frame.draw(request, "console/delivery/robot.html", context, page="delivery")


@require_GET
@page_access.page(Action.INSPECT)
def proof(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """What became of everything that a robot numbered in a period, to look at and to print."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    robot, home = page_access.robot(caller, Action.INSPECT, robot_id), zone_of(request)
    period = Period.of(request.GET.dict(), now, home)
    if period is None:
        said = {"since": request.GET.get("since", "")[:40], "until": request.GET.get("until", "")[:40], "days": MOST_DAYS}
        problem = _("De «%(since)s» a «%(until)s» no es un periodo: acaba antes de empezar, o pasa de %(days)s días.") % said
        context = {"robot": robot, "sentence": _("No es un periodo"), "problem": problem, "period": Period.of({}, now, home)}
        return frame.draw(request, "console/delivery/proof.html", context, page="delivery", status=422)
    edges = proofs.edges(robot.pk, period.since, period.until)
    sums, lines = Sums(), list[Line]()
    for line in proofs.lines(robot.pk, *edges) if edges is not None else ():
        sums = sums.plus(line)
        if len(lines) < _LINES:
            lines.append(line)
    context = {
        "robot": robot,
        "sentence": words.proven(robot.pk, sums, language),
        "period": period,
        "edges": edges,
        "totals": words.totals(sums, language),
        "lines": [words.line_row(line, language) for line in lines],
        "left_out": sums.streams - len(lines),
        "made": now,
    }
    return frame.draw(request, "console/delivery/proof.html", context, page="delivery")


@require_GET
@page_access.page(Action.INSPECT)
def proof_file(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """The same as a file, a row a stream.

    Raises:
        Denied: 404, no period.
    """
    robot, period = page_access.robot(of_session(request), Action.INSPECT, robot_id), Period.of(request.GET.dict(), timezone.now())
    if period is None:
        raise Denied(404, f"since, until: no period of at most {MOST_DAYS} days: write 2026-11-30T08:00")
    edges = proofs.edges(robot.pk, period.since, period.until)
    name = f"croody-delivery-{robot.pk}-{period.since:%Y%m%dT%H%MZ}-{period.until:%Y%m%dT%H%MZ}.csv"
    lines = proofs.lines(robot.pk, *edges) if edges is not None else iter(())
    return csv_file.answer(request, name, _COLUMNS, _batches(robot, period, lines))


def _batches(robot: Robot, period: Period, lines: Iterable[Line]) -> Iterator[list[list[object]]]:
    rest = iter(lines)
    while some := list(islice(rest, proofs.PAGE)):
        yield [_cells(robot, period, line) for line in some]


def _cells(robot: Robot, period: Period, line: Line) -> list[object]:
    sets = (line.missing, line.dropped, line.dead)
    counts = [ranges.count(one) for one in sets]
    spelled = [" ".join(f"{first}-{last}" for first, last in one) for one in sets]
    about = [robot.pk, period.since, period.until, line.stream, line.first, line.last, line.expected, ranges.count(line.stored)]
    return [*about, *counts, *spelled]


def _replay(request: HttpRequest, robot_id: str, number: int) -> HttpResponseBase:
    """Judge a dead letter again."""
    caller = of_session(request)
    robot = page_access.robot(caller, Action.ACT, robot_id)
    letter = _letter(robot, number)
    try:
        done = services.replay(letter, now=timezone.now(), actor=actor_of(request, caller))
    except services.NotReplayable as error:
        messages.error(request, not_again(letter, error))
        return page_access.done(request, _back(robot))
    said = _("Carta %(number)s: %(stored)s guardadas, %(dead)s otra vez muertas.")
    return page_access.done(request, _back(robot), said % {"number": number, "stored": done.stored, "dead": done.dead})


replay = page_access.act(Action.ACT, back="console_delivery_robot")(_replay)


@require_http_methods(["GET", "POST"])
@page_access.page(Action.ACT)
def discard(request: HttpRequest, robot_id: str, number: int) -> HttpResponseBase:
    """GET asks, because bytes cannot be put back; POST throws the letter away."""
    caller = of_session(request)
    robot = page_access.robot(caller, Action.ACT, robot_id)
    letter = _letter(robot, number)
    if request.method == "GET":
        row = words.letter_row(letter, get_language() or "es")
        return frame.draw(request, "console/delivery/discard.html", {"robot": robot, "row": row}, page="delivery")
    if throw_away(letter, now=timezone.now(), actor=actor_of(request, caller)):
        return page_access.done(request, _back(robot), _("Carta %(number)s descartada.") % {"number": number})
    return page_access.done(request, _back(robot), _("Alguien la descartó antes."))


def _letter(robot: Robot, number: int) -> DeadLetter:
    letter = DeadLetter.objects.filter(pk=number, robot_id=robot.pk).first() if number <= _MOST_ID else None
    if letter is None:
        raise Denied(404, f"{robot.pk} has no dead letter {number}")
    return letter


def _back(robot: Robot) -> str:
    return reverse("console_delivery_robot", args=[robot.pk]) + "#letters"
