"""The wizard's two addresses: what is typed about a robot, and its first minutes."""

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.console.add_robot import facts, fresh_claim, fresh_secret, ways, words
from croody.console.add_robot.forms import AddRobot
from croody.console.frame import draw
from croody.console.page_access import SeeOther, page
from croody.console.robot_edit.facts import robot_of
from croody.fleet import claim_lines, services
from croody.fleet.access import Action
from croody.web.refusals import Denied


@page()
def new(request: HttpRequest) -> HttpResponseBase:
    """Steps 1 and 2: what it is called, where it works, with what it speaks."""
    caller = of_session(request)
    form = AddRobot(caller, request.POST if request.method == "POST" else None)
    if not form.teams and request.method == "POST":
        raise Denied(403, "robot: only maintainers and owners of an organisation may add one to it")
    if request.method == "POST" and form.is_valid():
        try:
            return _add(request, form)
        except services.BadRobot as error:
            form.add_error("robot_id", str(error))
    status = 422 if form.errors else 200
    return draw(request, "console/add_robot/new.html", {"form": form, "may": bool(form.teams)}, page="add_robot", status=status)


def _add(request: HttpRequest, form: AddRobot) -> HttpResponseBase:
    """Make it, and go on to what has to be typed at it.

    Raises:
        BadRobot: the services say no.
    """
    said, now = form.cleaned_data, timezone.now()
    actor = actor_of(request, of_session(request))
    options = {name: said[name] for name in ("organisation", "site", "kind", "shared")} | {"now": now, "actor": actor}
    where = f"{reverse('console_join_robot', kwargs={'robot_id': said['robot_id']})}?way={said['way']}"
    with transaction.atomic():
        if ways.enrolled_by(ways.Way(said["way"])) and fresh_claim.possible(request):
            robot = services.register_robot(said["robot_id"], **options)
            answer = fresh_claim.make(request, SeeOther(where), robot, actor)
        else:
            robot, secret = services.add_robot(said["robot_id"], **options)
            answer = fresh_secret.show(SeeOther(where), robot.robot_id, secret)
        services.set_label(robot, said["label"], actor=actor, now=now)
    return answer


@page(Action.CONFIGURE)
def claim(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """Another claim, for a board that takes the robot's place: its secret is good until then."""
    caller = of_session(request)
    robot = robot_of(caller, Action.CONFIGURE, robot_id)
    way = ways.Way.PYTHON if request.POST.get("way") == ways.Way.PYTHON else ways.Way.DOCKER
    where = f"{reverse('console_join_robot', kwargs={'robot_id': robot_id})}?way={way}"
    if request.method != "POST":
        return SeeOther(where)
    if not fresh_claim.possible(request):
        raise Denied(403, "claim: boards enrol over TLS: open this page by https")
    return fresh_claim.make(request, SeeOther(where), robot, actor_of(request, caller))


@page(Action.CONFIGURE)
def join(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """Steps 3 and 4: lines to copy, and whether the first reading has come."""
    robot = robot_of(of_session(request), Action.CONFIGURE, robot_id)
    asked = request.GET.get("way", "")
    way = ways.Way(asked) if asked in set(ways.Way) else ways.Way.DOCKER
    secret, where, now = fresh_secret.of(request, robot_id), facts.addresses(request), timezone.now()
    found = facts.progress(robot)
    shown = secret or _("SECRETO")
    claim = fresh_claim.of(request, robot_id) if ways.enrolled_by(way) else ""
    entered = facts.entered_at(robot)
    context = {
        "robot": robot,
        "sentence": words.sentence(robot_id, found),
        "steps": words.steps(robot_id, found, now, waits=bool(claim), entered=entered is not None),
        "arrived": found.reading_at is not None,
        "reading": words.values(found.data, get_language() or "es"),
        "at": found.reading_at,
        "secret": secret,
        "minutes": fresh_secret.MINUTES,
        "claim_minutes": fresh_claim.MINUTES,
        "way": way,
        "ways": [(one.value, said, one is way) for one, said in ways.WORDS.items()],
        "claim": claim,
        "qr": claim_lines.svg(claim) if claim else "",
        "claims": ways.enrolled_by(way) and fresh_claim.possible(request),
        "entered": entered,
        "blocks": ways.claim_blocks(way, robot_id, claim) if claim else ways.blocks(way, robot_id, shown, where),
        "values": ways.values(robot_id, shown, where) if way is ways.Way.MQTT else [],
        "checked": now,
    }
    return draw(request, "console/add_robot/join.html", context, page="add_robot")
