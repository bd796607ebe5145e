"""Who may see which robot."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from croody.accounts.caller import of_user
from croody.accounts.models import Organisation
from croody.fleet import access, services

pytestmark = pytest.mark.django_db(databases="__all__")


def ids(robots) -> set[str]:
    return set(robots.values_list("robot_id", flat=True))


def test_alice_and_her_team_see_her_robot_and_carlos_sees_nothing(people):
    assert ids(access.visible_to(of_user(people.alice))) == {"rover-1"}
    assert ids(access.visible_to(of_user(people.bob))) == {"rover-1"}
    assert ids(access.visible_to(of_user(people.carlos))) == set()
    assert ids(access.visible_to(of_user(AnonymousUser()))) == set()


def test_a_shared_robot_is_seen_by_everybody(people):
    services.add_robot("show-1", organisation=people.organisation, shared=True)
    assert ids(access.visible_to(of_user(AnonymousUser()))) == {"show-1"}
    assert ids(access.visible_to(of_user(people.carlos))) == {"show-1"}
    assert ids(access.robots(of_user(people.carlos), access.Action.INSPECT)) == set()


def test_being_staff_shows_no_robots_and_being_superuser_shows_all(people):
    carlos = people.carlos
    carlos.is_staff = True
    assert ids(access.visible_to(of_user(carlos))) == set()
    assert ids(access.visible_to(of_user(User.objects.create_superuser("root-user")))) == {"rover-1"}


def test_somebody_who_was_disabled_sees_what_a_stranger_sees(people):
    people.alice.is_active = False
    assert ids(access.visible_to(of_user(people.alice))) == set()
    assert ids(access.robots(of_user(people.alice), access.Action.INSPECT)) == set()


def test_a_member_of_another_organisation_sees_their_own_only(people):
    other = Organisation.objects.create(name="Carlos's", slug="carloss")
    other.memberships.create(user=people.carlos, role="owner")
    services.add_robot("arm-1", organisation=other)
    assert ids(access.visible_to(of_user(people.carlos))) == {"arm-1"}
    assert ids(access.visible_to(of_user(people.alice))) == {"rover-1"}


def test_a_revoked_robot_is_nobodys(people):
    services.revoke(people.rover, now=timezone.now())
    assert ids(access.visible_to(of_user(people.alice))) == set()
