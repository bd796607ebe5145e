"""A robot's maintenance: one form, and its end. The writes are `fleet.services`'."""

from datetime import timedelta
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from croody.accounts.caller import actor_of, of_session
from croody.console import frame, page_access
from croody.console.robot_edit.facts import robot_of
from croody.fleet import services
from croody.fleet.access import Action
from croody.fleet.models import Robot

#: For how long, in hours; longer ones are said again.
HOURS: Final = (1, 2, 4, 8, 24, 72, 168)


@require_GET
@page_access.page(Action.ACT)
def maintenance(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """Who works on it, until when and why; or the form to begin."""
    return _draw(request, _robot(request, robot_id))


@page_access.act(Action.ACT, back="console_maintenance")
def start(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """Begin, or say that it takes longer."""
    robot, now = _robot(request, robot_id), timezone.now()
    hours = request.POST.get("hours", "")
    until = now + timedelta(hours=int(hours) if hours in {str(one) for one in HOURS} else 2)
    actor = actor_of(request, of_session(request))
    try:
        services.start_maintenance(robot, until=until, reason=request.POST.get("reason", ""), actor=actor, now=now)
    except services.BadRobot as error:
        return _draw(request, robot, str(error))
    said = _("%(robot)s está en mantenimiento: no pide atención hasta que termine.") % {"robot": robot_id}
    return page_access.done(request, reverse("console_robot", args=[robot_id]), said)


@page_access.act(Action.ACT, back="console_maintenance")
def end(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """The work is done."""
    robot = _robot(request, robot_id)
    services.end_maintenance(robot, actor=actor_of(request, of_session(request)), now=timezone.now())
    return page_access.done(
        request, reverse("console_robot", args=[robot_id]), _("%(robot)s ya no está en mantenimiento.") % {"robot": robot_id}
    )


def _robot(request: HttpRequest, robot_id: str) -> Robot:
    return robot_of(of_session(request), Action.ACT, robot_id)


def _draw(request: HttpRequest, robot: Robot, error: str = "") -> HttpResponseBase:
    hours = [
        {
            "value": one,
            "words": ngettext("%(count)s hora", "%(count)s horas", one) % {"count": one}
            if one < 48
            else ngettext("%(count)s día", "%(count)s días", one // 24) % {"count": one // 24},
            "current": str(one) == request.POST.get("hours", "2"),
        }
        for one in HOURS
    ]
    under_way = robot.maintenance_until is not None and robot.maintenance_until > timezone.now()
    context = {"robot": robot, "under_way": under_way, "hours": hours, "reason": request.POST.get("reason", ""), "error": error}
    return frame.draw(request, "console/maintenance/maintenance.html", context, page="fleet", status=422 if error else 200)
