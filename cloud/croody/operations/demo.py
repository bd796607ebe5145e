"""The demo's organisation, site, operator and robots in the database. Makes what is missing; knows no file and no secret's place."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from croody.accounts.demo import OPERATOR, ORGANISATION
from croody.accounts.models import Membership, Organisation
from croody.fleet import services
from croody.fleet.models import Robot, Site


@dataclass(frozen=True, slots=True)
class Seeded:
    """`secrets`: id and secret of the robots that were made now; those that were there already keep theirs."""

    site: Site
    operator: str
    secrets: tuple[tuple[str, str], ...]


@transaction.atomic
def seed(plan: dict[str, Any], robots: list[tuple[str, str]]) -> Seeded:
    """Make what is missing. `robots`: id and kind of robots to have, shared on the public monitor.

    Raises:
        ValueError: the plan lacks a name, a slug or its size.
        services.BadRobot: an id that breaks the rules.
    """
    for field in ("name", "slug", "width_m", "height_m"):
        if not plan.get(field):
            raise ValueError(_("plano: falta %(field)s: da al plano un name, un slug y su tamaño en metros") % {"field": field})
    name, slug = ORGANISATION
    organisation, _made = Organisation.objects.get_or_create(slug=slug, defaults={"name": name})
    origin = plan.get("origin") or {}
    site, _made = Site.objects.update_or_create(
        organisation=organisation,
        slug=plan["slug"],
        defaults={"name": plan["name"], "plan": plan, "origin_lat": origin.get("lat"), "origin_lng": origin.get("lng")},
    )
    user, made = get_user_model().objects.get_or_create(username=OPERATOR)
    if made:
        user.set_unusable_password()
        user.save()
    Membership.objects.get_or_create(user=user, organisation=organisation, defaults={"role": Membership.Role.OWNER})
    known = set(Robot.objects.values_list("robot_id", flat=True))
    secrets = tuple(
        (robot_id, services.add_robot(robot_id, organisation=organisation, site=site, kind=kind, shared=True)[1])
        for robot_id, kind in robots
        if robot_id not in known
    )
    return Seeded(site=site, operator=OPERATOR, secrets=secrets)
