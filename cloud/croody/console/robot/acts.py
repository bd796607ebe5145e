"""What people change on the page of a robot: each act is a form that calls one service of its room."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.alarms.acts import close_as
from croody.alarms.services import EndsByItself
from croody.commands.services import LOGS, ask_for_logs
from croody.console import frame, page_access
from croody.console.robot.views import revoked
from croody.enrolment import rotation
from croody.fleet import services
from croody.fleet.access import Action
from croody.fleet.models import Robot
from croody.fleet.services import BadRobot
from croody.telemetry.ingest import services as telemetry
from croody.telemetry.models import DeadLetter
from croody.telemetry.not_again import not_again
from croody.telemetry.read.capabilities import can
from croody.web.refusals import Denied

Act = Callable[..., HttpResponseBase]


def _act(action: Action, tab: str) -> Callable[[Act], Act]:
    """A form of this page: the robot is found and who may is asked before; what is refused stands on the page."""

    def guard(view: Act) -> Act:
        @wraps(view)
        def guarded(request: HttpRequest, robot_id: str, **kwargs: Any) -> HttpResponseBase:
            robot = page_access.robot(of_session(request), action, robot_id)
            try:
                return view(request, robot, **kwargs)
            except BadRobot as bad:
                messages.error(request, str(bad))
                return _back(request, robot, tab)

        return page_access.act(action, back="console_robot")(guarded)

    return guard


def _back(request: HttpRequest, robot: Robot, tab: str, said: str = "") -> HttpResponseBase:
    return page_access.done(request, reverse("console_robot", args=[robot.pk]) + tab, said)


@_act(Action.ACT, "#notas")
def notes(request: HttpRequest, robot: Robot) -> HttpResponseBase:
    """What the next one should know."""
    services.set_notes(robot, request.POST.get("notes", ""), actor=actor_of(request, of_session(request)), now=timezone.now())
    return _back(request, robot, "#notas", _("Las notas de %(robot)s quedaron guardadas.") % {"robot": robot.pk})


@_act(Action.CONFIGURE, "#credenciales")
def rotate(request: HttpRequest, robot: Robot) -> HttpResponseBase:
    """A new secret, shown once."""
    secret = services.rotate_secret(robot, now=timezone.now(), actor=actor_of(request, of_session(request)))
    return _secret(request, robot, secret)


@_act(Action.CONFIGURE, "#credenciales")
def rotate_itself(request: HttpRequest, robot: Robot) -> HttpResponseBase:
    """A new secret that its board makes, and nobody sees."""
    rotation.ask(robot, can=can(robot.pk, rotation.ROTATE), actor=actor_of(request, of_session(request)), now=timezone.now())
    return _back(request, robot, "#credenciales", _("Se le pidió a %(robot)s que cambie su secreto.") % {"robot": robot.pk})


@_act(Action.ADMINISTER, "#credenciales")
def revoke(request: HttpRequest, robot: Robot) -> HttpResponseBase:
    """Shut it out; who may bring it back still finds its page."""
    if request.POST.get("robot_id", "").strip() != robot.pk:
        raise BadRobot(_("Para revocar %(robot)s escribe su identificador: %(robot)s") % {"robot": robot.pk})
    services.revoke(robot, now=timezone.now(), actor=actor_of(request, of_session(request)))
    return _back(request, robot, "", _("%(robot)s quedó fuera; sus lecturas se quedan.") % {"robot": robot.pk})


def _bring_back(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    caller = of_session(request)
    robot = revoked(caller, robot_id)
    if robot is None:
        robot = page_access.robot(caller, Action.ADMINISTER, robot_id)
        return _back(request, robot, "", _("%(robot)s no está revocado.") % {"robot": robot.pk})
    actor, now = actor_of(request, caller), timezone.now()
    try:
        robot, secret = services.add_robot(
            robot.pk, organisation=robot.organisation, site=robot.site, kind=robot.kind, now=now, actor=actor
        )
    except BadRobot as bad:
        messages.error(request, str(bad))
        return _back(request, robot, "")
    return _secret(request, robot, secret)


bring_back = page_access.act(Action.ADMINISTER, back="console_robot")(_bring_back)


@_act(Action.ACT, "#cartas")
def replay(request: HttpRequest, robot: Robot, *, number: int) -> HttpResponseBase:
    """Judge a dead letter again."""
    letter = DeadLetter.objects.filter(pk=number, robot_id=robot.pk).first() if number < 2**63 else None
    if letter is None:
        raise Denied(404, f"{robot.pk} has no dead letter {number}")
    try:
        done = telemetry.replay(letter, now=timezone.now(), actor=actor_of(request, of_session(request)))
    except telemetry.NotReplayable as error:
        messages.error(request, not_again(letter, error))
        return _back(request, robot, "#cartas")
    said = _("Carta %(number)s: %(stored)s guardadas, %(dead)s otra vez muertas.")
    return _back(request, robot, "#cartas", said % {"number": number, "stored": done.stored, "dead": done.dead})


@_act(Action.ACT, "#registro")
def logs(request: HttpRequest, robot: Robot) -> HttpResponseBase:
    """Ask for the last lines of its agent's log."""
    ask_for_logs(robot, can=can(robot.pk, LOGS), actor=actor_of(request, of_session(request)), now=timezone.now())
    return _back(request, robot, "#registro", _("Se le pidió a %(robot)s; la respuesta aparece aquí.") % {"robot": robot.pk})


@_act(Action.ACT, "")
def close(request: HttpRequest, robot: Robot, *, number: int) -> HttpResponseBase:
    """Close an alarm that somebody has dealt with."""
    try:
        caller = of_session(request)
        close_as(caller, number, timezone.now(), actor=actor_of(request, caller))
    except EndsByItself:
        messages.error(request, _("Esta alerta termina sola cuando pasa su causa; cerrada ahora, volvería enseguida."))
        return _back(request, robot, "")
    return _back(request, robot, "", _("La alerta quedó cerrada."))


def _secret(request: HttpRequest, robot: Robot, secret: str) -> HttpResponseBase:
    """The only answer that ever holds it: no address shows it again."""
    return frame.draw(request, "console/robot/secret.html", {"robot": robot, "secret": secret}, page="fleet")
