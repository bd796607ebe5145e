"""The page where a robot is edited, and its acts: each calls one service, and what it did can be undone for ten minutes."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.audit.actor import Actor
from croody.console.frame import draw
from croody.console.page_access import act, done, page
from croody.console.robot_edit import facts
from croody.fleet import services
from croody.fleet.access import Action, may
from croody.fleet.models import Robot, Site

Change = Callable[[HttpRequest, Robot, Actor], str]
_NAME = "console_robot_edit"


@page(Action.CONFIGURE)
def edit(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """What it is to its team, as forms."""
    return _draw(request, facts.robot_of(of_session(request), Action.CONFIGURE, robot_id))


def _draw(request: HttpRequest, robot: Robot, error: tuple[str, str] = ("", "")) -> HttpResponseBase:
    """The page. `error`: which form was refused, and why; it then shows what was typed."""
    caller, typed = of_session(request), request.POST
    where, why = error
    before = facts.changed(robot, caller.user_id, timezone.now()) if not why else None
    context = {
        "robot": robot,
        "label": typed.get("label", "") if where == "label" else robot.label,
        "tags": typed.get("tags", "") if where == "tags" else ", ".join(robot.tags or []),
        "sites": facts.sites(robot),
        "administers": may(caller, Action.ADMINISTER, robot),
        "changed": before,
        "undo": _undo(before),
        "error_in": where,
        "error": why,
    }
    return draw(request, "console/robot_edit/edit.html", context, page="fleet", status=422 if why else 200)


def _undo(before: facts.Changed | None) -> dict[str, Any]:
    """Address and field of the form that takes the last change back."""
    if before is None:
        return {}
    value = before.before
    if before.act == "tags":
        value = ", ".join(value or [])
    elif before.act == "share":
        value = "1" if value else ""
    return {"address": f"console_robot_{before.act}", "field": "shared" if before.act == "share" else before.act, "value": value or ""}


def _act(action: Action, name: str) -> Callable[[Change], Callable[..., HttpResponseBase]]:
    """A form of the page: its change says what became of it; what is refused stays typed."""

    def guard(change: Change) -> Callable[..., HttpResponseBase]:
        @wraps(change)
        def view(request: HttpRequest, robot_id: str) -> HttpResponseBase:
            caller = of_session(request)
            robot = facts.robot_of(caller, action, robot_id)
            try:
                said = change(request, robot, actor_of(request, caller))
            except services.BadRobot as bad:
                return _draw(request, Robot.objects.get(pk=robot.pk), (name, str(bad)))
            return done(request, reverse(_NAME, args=[robot.pk]), said)

        return act(action, back=_NAME)(view)

    return guard


@_act(Action.CONFIGURE, "label")
def label(request: HttpRequest, robot: Robot, actor: Actor) -> str:
    """What its team calls it."""
    services.set_label(robot, request.POST.get("label", ""), actor=actor, now=timezone.now())
    return _("Nombre guardado.")


@_act(Action.CONFIGURE, "tags")
def tags(request: HttpRequest, robot: Robot, actor: Actor) -> str:
    """Words that its team finds it by."""
    services.set_tags(robot, request.POST.get("tags", "").split(","), actor=actor, now=timezone.now())
    return _("Etiquetas guardadas.")


@_act(Action.CONFIGURE, "site")
def site(request: HttpRequest, robot: Robot, actor: Actor) -> str:
    """Where it works."""
    slug = request.POST.get("site", "").replace("\x00", "")
    found = Site.objects.filter(organisation=robot.organisation_id, slug=slug).first() if slug else None
    if slug and found is None:
        raise services.BadRobot(_("sitio %(site)s: ya no existe: elige otro") % {"site": slug[:50]})
    services.move_to_site(robot, found, actor=actor, now=timezone.now())
    return _("Sitio guardado.")


@_act(Action.ADMINISTER, "share")
def share(request: HttpRequest, robot: Robot, actor: Actor) -> str:
    """Whether the public sees it."""
    shared = bool(request.POST.get("shared"))
    services.share(robot, shared, actor=actor, now=timezone.now())
    return _("Ahora está en el monitor público.") if shared else _("Ya no está en el monitor público.")
