"""The page that says which robots are meant and asks what to do with them, the act, and its way back.

Which robots are meant stands in the form: what was told is what is done, whatever the filters match by then.
"""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from croody.accounts.caller import Caller, actor_of, of_session
from croody.console import frame, page_access
from croody.console.fleet import facts, own
from croody.console.fleet.selection import PAGE, Selection, matching
from croody.console.maintenance.views import HOURS
from croody.console.many import acts, words
from croody.console.many.undo import take_back
from croody.fleet import access
from croody.fleet.access import Action
from croody.fleet.models import Robot, Site
from croody.web import request_id

#: Robots of one go.
MOST: Final = 5000
_MOST_SITES: Final = 400


@require_http_methods(["GET", "POST"])
@page_access.page()
def ask(request: HttpRequest) -> HttpResponseBase:
    """Which robots, and what can be done to them: those that a form chose, or all that the address asks for."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    chosen = request.method == "POST"
    if chosen:
        asked = _asked(request)
        wanted = request.POST.getlist("robot")[:PAGE]
        known = set(access.robots(caller, Action.INSPECT).filter(pk__in=wanted).values_list("pk", flat=True))
        robot_ids = [robot_id for robot_id in dict.fromkeys(wanted) if robot_id in known]
    else:
        asked = Selection.of(request.GET.dict())
        starred = own.stars(caller.user_id or 0) if asked.starred else frozenset()
        listed = facts.roster(facts.audience_of(caller), now).robots
        robot_ids = [robot.robot_id for robot in matching(listed, asked, starred)][:MOST]
    context: dict[str, Any] = {
        "sentence": words.sentence(len(robot_ids), language, chosen=chosen),
        "names": words.names(robot_ids, language),
        "robots": " ".join(robot_ids),
        "count": len(robot_ids),
        "query": asked.address(),
        "acting": words.may(_how_many(caller, Action.ACT, robot_ids), len(robot_ids), language),
        "configuring": words.may(_how_many(caller, Action.CONFIGURE, robot_ids), len(robot_ids), language),
        "hours": [(one, _hours(one)) for one in HOURS],
        "sites": _sites(caller, robot_ids),
        "tags": facts.tags(robot_ids),
    }
    return frame.draw(request, "console/many/many.html", context, page="fleet")


@page_access.act(back="console")
def act(request: HttpRequest, verb: str) -> HttpResponseBase:
    """Do this to each robot that the form names, and go back to the list."""
    found = acts.VERBS.get(verb)
    if found is None:
        raise Http404
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    # By it the audit log knows what was done together.
    request_id.to_show()
    robot_ids = list(dict.fromkeys(request.POST.get("robots", "").replace("\x00", "").split()))[:MOST]
    who = acts.Who(caller, actor_of(request, caller), now, request.POST)
    outcome = acts.run(found, who, robot_ids)
    if outcome.done:
        undoable = acts.UNDOABLE + who.by.request_id if verb not in ("star", "unstar") else ""
        messages.info(request, words.done(verb, outcome.done, language), extra_tags=undoable)
    for text in words.problems(outcome, language):
        messages.warning(request, text)
    if not (outcome.done or outcome.refused):
        messages.warning(request, _("Elige al menos un robot."))
    return page_access.done(request, reverse("console") + _asked(request).address())


@page_access.act(back="console")
def undo(request: HttpRequest) -> HttpResponseBase:
    """Take back what one request did to many, for ten minutes."""
    caller, now = of_session(request), timezone.now()
    count = take_back(caller, request.POST.get("request", "")[:64], by=actor_of(request, caller), now=now)
    said = words.undone(count, get_language() or "es") if count else _("Ya no hay nada que deshacer.")
    return page_access.done(request, reverse("console") + _asked(request).address(), said)


def _asked(request: HttpRequest) -> Selection:
    return Selection.of(QueryDict(request.POST.get("query", "")[:600].lstrip("?")).dict())


def _how_many(caller: Caller, action: Action, robot_ids: list[str]) -> int:
    return len(set(access.robots(caller, action).values_list("pk", flat=True)) & set(robot_ids))


def _sites(caller: Caller, robot_ids: list[str]) -> list[tuple[str, str]]:
    """Slug and name of the sites of these robots' organisations, by name."""
    teams = Robot.objects.filter(pk__in=robot_ids).order_by().values("organisation").distinct()
    mine = access.organisations(caller, Action.CONFIGURE)
    found = Site.objects.filter(organisation__in=teams).filter(organisation__in=mine).order_by("name", "pk")
    return list(dict(found.values_list("slug", "name")[:_MOST_SITES]).items())


def _hours(count: int) -> str:
    if count < 48:
        return ngettext("%(count)s hora", "%(count)s horas", count) % {"count": count}
    return ngettext("%(count)s día", "%(count)s días", count // 24) % {"count": count // 24}
