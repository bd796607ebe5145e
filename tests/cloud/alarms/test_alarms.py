"""One list of everything that needs a person."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, User

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms import queries
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet import services

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_the_same_cause_folds_into_one_open_row_with_a_count():
    first = raise_alarm("rover-1", "gap", "s1", "medium", {"missing": 3}, NOW)
    again = raise_alarm("rover-1", "gap", "s1", "high", {"missing": 5}, after(1))
    assert again.pk == first.pk
    row = Alarm.objects.get()
    assert (row.count, row.severity, row.detail, row.opened_at, row.last_at) == (2, "high", {"missing": 5}, NOW, after(1))


def test_another_key_kind_or_robot_is_another_alarm():
    for cause in (("rover-1", "gap", "s1"), ("rover-1", "gap", "s2"), ("rover-1", "conflict", "s1"), ("rover-2", "gap", "s1")):
        raise_alarm(*cause, "low", {}, NOW)
    assert Alarm.objects.count() == 4


def test_a_cause_that_comes_back_after_it_was_resolved_opens_a_new_row():
    raise_alarm("rover-1", "gap", "s1", "low", {}, NOW)
    assert resolve_alarm("rover-1", "gap", "s1", after(1))
    assert not resolve_alarm("rover-1", "gap", "s1", after(2))
    raise_alarm("rover-1", "gap", "s1", "low", {}, after(3))
    assert list(Alarm.objects.order_by("pk").values_list("resolved_at", "count")) == [(after(1), 1), (None, 1)]


def test_an_unknown_severity_is_refused_by_name():
    with pytest.raises(ValueError, match="severity 'urgent'"):
        raise_alarm("rover-1", "gap", "", "urgent", {}, NOW)


def test_a_cause_longer_than_its_columns_is_cut_and_still_folds():
    for _ in range(2):
        raise_alarm("rover-1", "gap", "k" * 500, "low", {}, NOW)
    assert Alarm.objects.get().count == 2
    assert resolve_alarm("rover-1", "gap", "k" * 500, NOW)


def test_alice_sees_her_robots_alarms_open_first_and_carlos_none_even_of_a_shared_robot():
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    alice, carlos = User.objects.create_user("alice"), User.objects.create_user("carlos")
    Membership.objects.create(user=alice, organisation=organisation)
    services.add_robot("rover-1", organisation=organisation, shared=True)
    raise_alarm("rover-1", "gap", "old", "low", {}, NOW)
    raise_alarm("rover-1", "gap", "closed", "low", {}, after(5))
    resolve_alarm("rover-1", "gap", "closed", after(6))
    raise_alarm("rover-1", "gap", "new", "low", {}, after(3))
    raise_alarm("somebody-elses", "gap", "x", "low", {}, NOW)
    assert [alarm.key for alarm in queries.visible_to(of_user(alice))] == ["new", "old", "closed"]
    assert not queries.visible_to(of_user(carlos)).exists()
    assert not queries.visible_to(of_user(AnonymousUser())).exists()
    assert queries.visible_to(of_user(User.objects.create_superuser("root-user"))).count() == 4
