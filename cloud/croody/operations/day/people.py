"""Who works with the fleet of the day, and whose it is: organisations, people, sites, robots. Makes what is missing, by their services."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from croody.accounts import organisations
from croody.accounts.demo import ORGANISATION
from croody.accounts.models import Membership, Organisation
from croody.accounts.services import make_login_link
from croody.audit.actor import Actor
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.operations.day import cast

#: When the robots of the day were bought.
_BOUGHT: Final = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Made:
    """People by their user name, and how many robots were made now."""

    people: Mapping[str, User]
    robots: int


@transaction.atomic
def make(now: datetime) -> Made:
    """Make what is missing. What is there already stays as somebody has changed it."""
    named = (ORGANISATION, cast.NEIGHBOURS)
    teams = {slug: Organisation.objects.get_or_create(slug=slug, defaults={"name": name})[0] for name, slug in named}
    demo = teams[ORGANISATION[1]]
    users = {person.username: _person(person, teams, now) for person in cast.PEOPLE}
    bought: dict[str, Any] = {"now": now - _BOUGHT, "actor": actor(users[cast.BUYS_ROBOTS])}
    sites = {place.slug: _site(place, demo) for place in cast.SITES}
    known = set(Robot.objects.values_list("robot_id", flat=True))
    new = [member for member in cast.members() if member.robot_id not in known]
    for member in new:
        given: dict[str, Any] = {"organisation": demo, "site": sites[member.site], "kind": member.kind, "shared": member.shared}
        robot, _secret = services.add_robot(member.robot_id, **given, **bought)
        services.set_label(robot, member.label, **bought)
        services.set_tags(robot, member.tags, **bought)
    strange = [member for member in cast.FOREIGN if member.robot_id not in known]
    for member in strange:
        services.add_robot(member.robot_id, organisation=teams[cast.NEIGHBOURS[1]], kind=member.kind, now=now - _BOUGHT)
    # The column says when its row was written; these were bought before.
    made = [member.robot_id for member in (*new, *strange)]
    Robot.objects.filter(pk__in=made).exclude(pk=cast.NEVER_SPOKE).update(created_at=now - _BOUGHT)
    return Made(users, len(new))


def actor(user: User) -> Actor:
    """This person, as the audit log names whoever acts."""
    return Actor("person", user.pk, user.get_username())


def _site(place: cast.Place, organisation: Organisation) -> Site:
    where = {"name": place.name, "plan": place.plan, "origin_lat": place.lat, "origin_lng": place.lng}
    return Site.objects.get_or_create(organisation=organisation, slug=place.slug, defaults=where)[0]


def _person(person: cast.Person, teams: Mapping[str, Organisation], now: datetime) -> User:
    names = {"email": person.email, "first_name": person.first_name, "last_name": person.last_name}
    user, made = User.objects.get_or_create(username=person.username, defaults=names)
    if made:
        user.set_unusable_password()
        user.save()
        organisations.join(user, teams[person.organisation], role=Membership.Role(person.role), now=now - _BOUGHT)
    return user


def login_links(people: Mapping[str, User], now: datetime) -> dict[str, str]:
    """A path for each that logs in once, within the hour."""
    return {name: make_login_link(user, now=now) for name, user in people.items()}
