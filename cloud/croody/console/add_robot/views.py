"""The wizard's two addresses: what is typed about a robot, and its first minutes."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.console.add_robot import facts, fresh_secret, ways, words
from croody.console.add_robot.forms import AddRobot
from croody.console.frame import draw
from croody.console.page_access import SeeOther, page
from croody.console.robot_edit.facts import robot_of
from croody.fleet import services
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
    robot, secret = services.add_robot(
        said["robot_id"],
        organisation=said["organisation"],
        site=said["site"],
        kind=said["kind"],
        shared=said["shared"],
        now=now,
        actor=actor,
    )
    services.set_label(robot, said["label"], actor=actor, now=now)
    where = reverse("console_join_robot", kwargs={"robot_id": robot.robot_id})
    return fresh_secret.show(SeeOther(f"{where}?way={said['way']}"), robot.robot_id, secret)


@page(Action.CONFIGURE)
def join(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """Steps 3 and 4: lines to copy, and whether the first reading has come."""
    robot = robot_of(of_session(request), Action.CONFIGURE, robot_id)
    asked = request.GET.get("way", "")
    way = ways.Way(asked) if asked in set(ways.Way) else ways.Way.DOCKER
    secret, where, now = fresh_secret.of(request, robot_id), facts.addresses(request), timezone.now()
    found = facts.progress(robot)
    shown = secret or _("SECRETO")
    context = {
        "robot": robot,
        "sentence": words.sentence(robot_id, found),
        "steps": words.steps(robot_id, found, now),
        "arrived": found.reading_at is not None,
        "reading": words.values(found.data, get_language() or "es"),
        "at": found.reading_at,
        "secret": secret,
        "minutes": fresh_secret.MINUTES,
        "way": way,
        "ways": [(one.value, said, one is way) for one, said in ways.WORDS.items()],
        "blocks": ways.blocks(way, robot_id, shown, where),
        "values": ways.values(robot_id, shown, where) if way is ways.Way.MQTT else [],
        "checked": now,
    }
    return draw(request, "console/add_robot/join.html", context, page="add_robot")
