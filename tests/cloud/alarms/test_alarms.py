"""One list of everything that needs a person."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, User

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms import jobs, kinds, queries
from croody.alarms.models import Alarm
from croody.alarms.services import EndsByItself, raise_alarm, resolve_alarm, resolve_by_person
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
    assert [alarm.key for alarm in queries.listed(queries.visible_to(of_user(alice)), 9)] == ["new", "old", "closed"]
    assert not queries.visible_to(of_user(carlos)).exists()
    assert not queries.visible_to(of_user(AnonymousUser())).exists()
    assert queries.visible_to(of_user(User.objects.create_superuser("root-user"))).count() == 4


def words_of_a_robot(code: str) -> kinds.Kind:
    return kinds.find(code)


def test_a_kind_that_nobody_declared_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"kind 'gripper_jam': nobody declared it: write a `Kind`"):
        raise_alarm("rover-1", "gripper_jam", "", "high", {}, NOW)


def test_a_kind_is_declared_once_and_ends():
    one = dataclasses.replace(kinds.declared("gap"), code="of_this_test")
    with pytest.raises(ValueError, match="never ends"):
        dataclasses.replace(one, ends=frozenset())
    with pytest.raises(ValueError, match="kind gap: is declared already"):
        kinds.register(dataclasses.replace(one, code="gap"))
    with pytest.raises(ValueError, match="lower-case letters"):
        kinds.register(dataclasses.replace(one, code="Of This Test"))


def test_two_codes_that_begin_alike_are_two_alarms():
    begin = "arm_joint_temperature_far_too_high_in_"
    for code, severity in ((f"{begin}shoulder", "medium"), (f"{begin}wrist", "critical")):
        raise_alarm("rover-1", words_of_a_robot(code), "", severity, {}, NOW)
    assert set(Alarm.objects.values_list("kind", "severity")) == {(f"{begin}shoulder", "medium"), (f"{begin}wrist", "critical")}
    longest = "a" * kinds.MAX_CODE_CHARS
    assert raise_alarm("rover-1", words_of_a_robot(longest), "", "low", {}, NOW).kind == longest


def test_a_folded_alarm_is_as_severe_as_its_worst_time():
    for severity in ("medium", "critical", "low"):
        raise_alarm("rover-1", "gap", "s1", severity, {"missing": 1}, NOW)
    assert Alarm.objects.values_list("severity", "count").get() == ("critical", 3)


def test_a_person_closes_what_they_dealt_with_and_not_what_still_holds():
    conflict = raise_alarm("rover-1", "conflict", "s1", "high", {}, NOW)
    assert resolve_by_person(conflict, after(5)).resolved_at == after(5)
    assert resolve_by_person(conflict, after(9)).resolved_at == after(5), "closed once"
    offline = raise_alarm("rover-1", "offline", "", "high", {}, NOW)
    with pytest.raises(EndsByItself, match="ends by itself"):
        resolve_by_person(offline, after(5))


def test_what_has_no_news_for_the_time_its_kind_names_is_over():
    bump, other = words_of_a_robot("bumper_hit"), kinds.declared("conflict")
    assert bump.after is not None
    assert other.after is not None
    raise_alarm("rover-1", bump, "", "medium", {}, NOW)
    raise_alarm("rover-2", bump, "", "medium", {}, NOW + bump.after)
    raise_alarm("rover-1", "outbox_corrupt", "", "high", {}, NOW)
    raise_alarm("rover-1", other, "s1", "high", {}, NOW + other.after)
    for kind in ("offline", "gap"):
        raise_alarm("rover-1", kind, "", "high", {}, NOW)
    jobs.close_old(NOW + bump.after)
    assert not Alarm.objects.exclude(resolved_at=None).exists(), "not a moment too early"
    jobs.close_old(NOW + other.after)
    still = set(Alarm.objects.filter(resolved_at=None).values_list("robot_id", "kind"))
    assert still == {("rover-1", "conflict"), ("rover-1", "offline"), ("rover-1", "gap")}


def test_a_run_closes_a_bounded_number_and_the_next_goes_on():
    for number in range(4):
        raise_alarm(f"rover-{number}", words_of_a_robot("bumper_hit"), "", "medium", {}, NOW)
    for left in (1, 0):
        jobs.close_old(NOW + timedelta(days=9), most=3)
        assert Alarm.objects.filter(resolved_at=None).count() == left


def test_nobody_has_to_look_after_a_robot_that_was_revoked():
    robot, _ = services.add_robot("rover-1", organisation=Organisation.objects.create(name="Alice's", slug="alices"))
    raise_alarm("rover-1", "gap", "s1", "medium", {"missing": 3}, NOW)
    raise_alarm("rover-2", "gap", "s1", "medium", {"missing": 3}, NOW)
    services.revoke(robot, now=after(5))
    assert set(Alarm.objects.values_list("robot_id", "resolved_at")) == {("rover-1", after(5)), ("rover-2", None)}
