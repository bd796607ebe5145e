"""Asks for what the wizard shows: where a person may add robots, how robots get in, and what came of the new one. Words nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.console.add_robot.ways import Addresses
from croody.fleet import trust_anchor
from croody.fleet.access import Action, organisations
from croody.fleet.models import Credential, Enrolment, Robot, Site
from croody.liveness.signs import signs_of
from croody.telemetry.models import DeadLetter
from croody.telemetry.read.newest import newest_of

#: More sites or organisations than these have no line in a choice.
MOST_PLACES: Final = 200


@dataclass(frozen=True, slots=True)
class Progress:
    """What came of a robot since it got its secret.

    Attributes:
        made_at: when it got it.
        heard_at: when anything of it came, in whichever way; None: nothing yet.
        letter: what could not be stored of it, newest: its reason and what is wrong with it.
        reading_at: when its newest reading counts as said; None: none yet.
        data: what that reading holds.
    """

    made_at: datetime
    heard_at: datetime | None
    letter: tuple[str, str] | None
    reading_at: datetime | None
    data: Mapping[str, Any] = field(default_factory=dict)


def teams(caller: Caller) -> list[Organisation]:
    """Organisations in which this person may add a robot, by name."""
    return list(organisations(caller, Action.CONFIGURE).order_by("name", "pk")[:MOST_PLACES])


def sites(caller: Caller) -> list[Site]:
    """Sites at which it may work, by name."""
    found = Site.objects.filter(organisation__in=organisations(caller, Action.CONFIGURE)).select_related("organisation")
    return list(found.order_by("name", "pk")[:MOST_PLACES])


def entered_at(robot: Robot) -> datetime | None:
    """When a board came in by a claim, with the secret that it has now."""
    found = Enrolment.objects.filter(robot=robot, sha256__in=Credential.objects.filter(robot=robot).values("sha256")).order_by("-pk")
    return found.values_list("at", flat=True).first()


def progress(robot: Robot) -> Progress:
    """How far it has come with the secret that it has now."""
    made_at = Credential.objects.filter(robot=robot).values_list("created_at", flat=True).first()
    made_at = made_at or robot.returned_at or robot.created_at
    signs = signs_of([robot.robot_id])[robot.robot_id]
    used_at = Credential.objects.filter(robot=robot).values_list("last_used_at", flat=True).first()
    moments = [at for at in (signs.heard_at, signs.presence_at, used_at) if at is not None and at >= made_at]
    letters = DeadLetter.objects.filter(robot_id=robot.robot_id, received_at__gte=made_at).order_by("-pk")
    newest = newest_of([robot.robot_id]).get(robot.robot_id)
    said = newest is not None and newest.heard_at >= made_at
    return Progress(
        made_at=made_at,
        heard_at=min(moments, default=None),
        letter=letters.values_list("reason", "detail").first(),
        reading_at=newest.heard_at if newest is not None and said else None,
        data=json.loads(newest.row)["data"] if newest is not None and said else {},
    )


def addresses(request: HttpRequest) -> Addresses:
    """How a robot reaches this very server; in the demo, the ports of its parts."""
    env = settings.ENV
    host = urlsplit(f"//{request.get_host()}").hostname or "localhost"
    broker = urlsplit(env.broker_url.split(",")[0])
    if env.robots_url:
        found = trust_anchor.of_site()
        return Addresses(env.robots_url, f"{request.scheme}://{request.get_host()}", found.authority, found.problem)
    if env.demo:
        telemetry = urlsplit(env.telemetry_url)
        return Addresses(f"mqtt://{host}:{broker.port or 1883}", f"http://{host}:{telemetry.port or 80}")
    return Addresses(f"mqtts://{host}:{trust_anchor.TLS_PORT}", f"{request.scheme}://{request.get_host()}")
