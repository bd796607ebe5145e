"""What persons do to an alarm, who may, who was first, and that each act can be undone."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User

from croody.accounts.caller import Caller, of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms import acts, jobs, queries, undo
from croody.alarms.act_transaction import MOST, BadAct, Late
from croody.alarms.acts import Scope
from croody.alarms.models import Act, Alarm, Suppression
from croody.alarms.services import EndsByItself, raise_alarm, resolve_alarm
from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.fleet import services
from croody.web.refusals import Denied

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def actor(user: User) -> Actor:
    return Actor("person", user_id=user.pk, name=user.username)


def person(name: str, organisation: Organisation, role: str) -> SimpleNamespace:
    user = User.objects.create_user(name)
    Membership.objects.create(user=user, organisation=organisation, role=role)
    return SimpleNamespace(user=user, caller=of_user(user), by=actor(user))


@pytest.fixture
def team() -> SimpleNamespace:
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    for number in range(1, 8):
        services.add_robot(f"rover-{number}", organisation=organisation)
    return SimpleNamespace(
        organisation=organisation,
        alice=person("alice", organisation, "owner"),
        bob=person("bob", organisation, "operator"),
        vera=person("vera", organisation, "viewer"),
        carlos=person("carlos", elsewhere, "owner"),
    )


def conflict(robot_id: str = "rover-1", key: str = "s1", now: datetime = NOW) -> Alarm:
    return raise_alarm(robot_id, "conflict", key, "high", {}, now)


def seen_by(caller: Caller) -> list[str]:
    return [f"{alarm.robot_id}/{alarm.key}" for alarm in queries.visible_to(caller).filter(resolved_at=None).order_by("pk")]


def test_who_acknowledges_an_alarm_takes_it_and_the_audit_log_knows(team):
    done = acts.acknowledge(team.bob.caller, conflict().pk, by=team.bob.by, now=after(5), seen=0)
    assert (done.alarm.acknowledged_at, done.alarm.assignee_id, done.alarm.revision) == (after(5), team.bob.user.pk, 1)
    entry = Entry.objects.get(thing="alarm")
    assert (entry.verb, entry.thing, entry.thing_id, entry.name) == ("acknowledge", "alarm", str(done.alarm.pk), "bob")
    assert (entry.organisation_id, entry.before["acknowledged_at"], entry.after["assignee_id"]) == (
        team.organisation.pk,
        None,
        team.bob.user.pk,
    )


def test_the_second_of_two_people_is_told_who_was_first_and_changes_nothing(team):
    alarm = conflict()
    acts.acknowledge(team.bob.caller, alarm.pk, by=team.bob.by, now=after(5), seen=0)
    with pytest.raises(Late, match="bob") as late:
        acts.resolve(team.alice.caller, alarm.pk, by=team.alice.by, now=after(6), seen=0)
    assert (late.value.first.verb, late.value.first.by_name) == ("acknowledge", "bob")
    assert Alarm.objects.get().resolved_at is None
    assert acts.resolve(team.alice.caller, alarm.pk, by=team.alice.by, now=after(7), seen=1).alarm.resolved_at == after(7)


def test_an_alarm_that_ended_by_itself_meanwhile_is_no_ones_act(team):
    alarm = raise_alarm("rover-1", "offline", "", "high", {}, NOW)
    resolve_alarm("rover-1", "offline", "", after(1))
    with pytest.raises(Late) as late:
        acts.acknowledge(team.bob.caller, alarm.pk, by=team.bob.by, now=after(2), seen=0)
    assert late.value.first is None


@pytest.mark.parametrize(("name", "status"), [("vera", 403), ("carlos", 404)])
def test_a_viewer_may_not_act_and_strangers_know_of_nothing(team, name, status):
    who, number = getattr(team, name), conflict().pk
    calls = (
        lambda: acts.acknowledge(who.caller, number, by=who.by, now=NOW),
        lambda: acts.assign(who.caller, number, who.user.pk, by=who.by, now=NOW),
        lambda: acts.snooze(who.caller, number, after(60), by=who.by, now=NOW),
        lambda: acts.resolve(who.caller, number, by=who.by, now=NOW),
        lambda: acts.mark_false(who.caller, number, Scope.CAUSE, after(60), by=who.by, now=NOW),
        lambda: acts.comment(who.caller, number, "x", by=who.by, now=NOW),
        lambda: undo.reopen(who.caller, number, by=who.by, now=NOW),
    )
    for call in calls:
        with pytest.raises(Denied) as refused:
            call()
        assert refused.value.status == status
    assert not Act.objects.exists()
    assert not Entry.objects.filter(thing="alarm").exists()


@pytest.mark.parametrize("number", [0, -1, 10**30])
def test_a_number_that_no_alarm_has_is_404_and_never_a_failure(team, number):
    for call in (acts.acknowledge, acts.resolve):
        with pytest.raises(Denied) as refused:
            call(team.bob.caller, number, by=team.bob.by, now=NOW)
        assert refused.value.status == 404
    with pytest.raises(Denied):
        undo.undo(team.bob.caller, number, by=team.bob.by, now=NOW)
    with pytest.raises(Denied):
        acts.end_suppression(team.bob.caller, number, by=team.bob.by, now=NOW)


def test_an_alarm_is_given_only_to_who_may_act_on_it(team):
    alarm = conflict()
    for who in (team.vera, team.carlos):
        with pytest.raises(BadAct, match=str(who.user.pk)):
            acts.assign(team.alice.caller, alarm.pk, who.user.pk, by=team.alice.by, now=NOW)
    assert acts.assign(team.alice.caller, alarm.pk, team.bob.user.pk, by=team.alice.by, now=NOW).act.said == {"to": "bob"}
    assert acts.assign(team.alice.caller, alarm.pk, None, by=team.alice.by, now=NOW).alarm.assignee_id is None


def test_a_snoozed_alarm_that_gets_worse_comes_back_and_asks_anew(team):
    alarm = raise_alarm("rover-1", "gap", "s1", "low", {}, NOW)
    acts.acknowledge(team.bob.caller, alarm.pk, by=team.bob.by, now=NOW)
    acts.snooze(team.bob.caller, alarm.pk, after(3600), by=team.bob.by, now=NOW)
    assert raise_alarm("rover-1", "gap", "s1", "low", {}, after(9)).snoozed_until == after(3600), "the same again changes nothing"
    worse = raise_alarm("rover-1", "gap", "s1", "high", {}, after(10))
    assert (worse.severity, worse.snoozed_until, worse.acknowledged_at) == ("high", None, None)


@pytest.mark.parametrize("seconds", [0, -5, 8 * 86400])
def test_a_snooze_ends_within_a_week(team, seconds):
    with pytest.raises(BadAct, match="7"):
        acts.snooze(team.bob.caller, conflict().pk, after(seconds), by=team.bob.by, now=NOW)


def test_what_only_its_cause_ends_cannot_be_resolved(team):
    alarm = raise_alarm("rover-1", "offline", "", "high", {}, NOW)
    with pytest.raises(EndsByItself):
        acts.resolve(team.bob.caller, alarm.pk, by=team.bob.by, now=NOW)
    assert not Act.objects.exists()


def test_a_false_alarm_is_closed_and_the_next_like_it_is_counted_and_not_shown(team):
    acts.mark_false(team.bob.caller, conflict().pk, Scope.CAUSE, after(3600), by=team.bob.by, now=NOW)
    assert seen_by(team.bob.caller) == []
    again = conflict(now=after(10))
    conflict(now=after(11))
    assert (again.suppressed_by_id, again.count, Suppression.objects.get().hits) == (Suppression.objects.get().pk, 1, 2)
    conflict(key="s2", now=after(12))
    conflict("rover-2", now=after(13))
    assert seen_by(team.bob.caller) == ["rover-1/s2", "rover-2/s1"]
    assert [row.how_many for row in queries.open_by_kind()] == [1, 1]


@pytest.mark.parametrize(
    ("scope", "left"),
    [(Scope.CAUSE, ["rover-1/s2", "rover-2/s1"]), (Scope.ROBOT, ["rover-2/s1"]), (Scope.TEAM, [])],
)
def test_a_scope_holds_back_what_is_open_and_what_comes(team, scope, left):
    conflict(key="s2")
    conflict("rover-2")
    acts.mark_false(team.bob.caller, conflict().pk, scope, after(3600), by=team.bob.by, now=NOW)
    assert seen_by(team.bob.caller) == left
    conflict("rover-3", now=after(5))
    assert ("rover-3/s1" in seen_by(team.bob.caller)) == (scope is not Scope.TEAM)


def test_what_outlasts_the_word_of_a_person_is_seen_again(team):
    alarm = raise_alarm("rover-1", "offline", "", "high", {}, NOW)
    acts.mark_false(team.bob.caller, alarm.pk, Scope.ROBOT, after(3600), by=team.bob.by, now=NOW)
    assert seen_by(team.bob.caller) == []
    jobs.close_old(after(3599))
    assert seen_by(team.bob.caller) == []
    jobs.close_old(after(3601))
    assert seen_by(team.bob.caller) == ["rover-1/"]


def test_a_person_ends_an_exception_before_its_time(team):
    alarm = raise_alarm("rover-1", "offline", "", "high", {}, NOW)
    acts.mark_false(team.bob.caller, alarm.pk, Scope.ROBOT, after(3600), by=team.bob.by, now=NOW)
    held = Suppression.objects.get()
    with pytest.raises(Denied) as refused:
        acts.end_suppression(team.vera.caller, held.pk, by=team.vera.by, now=after(1))
    assert refused.value.status == 403
    with pytest.raises(Denied) as refused:
        acts.end_suppression(team.carlos.caller, held.pk, by=team.carlos.by, now=after(1))
    assert refused.value.status == 404
    acts.end_suppression(team.bob.caller, held.pk, by=team.bob.by, now=after(2))
    assert seen_by(team.bob.caller) == ["rover-1/"]
    assert Entry.objects.filter(verb="end", thing="exception").count() == 1


def test_no_storm_is_made_of_false_alarms_and_one_of_many_robots_is_false_for_the_organisation(team):
    for number in range(1, 6):
        raise_alarm(f"rover-{number}", "offline", "", "high", {}, NOW)
    storm = Alarm.objects.get(kind="many_robots")
    with pytest.raises(BadAct):
        acts.mark_false(team.bob.caller, storm.pk, Scope.CAUSE, after(60), by=team.bob.by, now=NOW)
    acts.mark_false(team.bob.caller, storm.pk, Scope.TEAM, after(3600), by=team.bob.by, now=NOW)
    assert seen_by(team.bob.caller) == []
    raise_alarm("rover-6", "offline", "", "high", {}, after(1))
    assert seen_by(team.bob.caller) == []


@pytest.mark.parametrize("seconds", [0, 91 * 86400])
def test_an_exception_ends_within_ninety_days(team, seconds):
    with pytest.raises(BadAct, match="90"):
        acts.mark_false(team.bob.caller, conflict().pk, Scope.CAUSE, after(seconds), by=team.bob.by, now=NOW)


def fields(alarm: Alarm) -> tuple[object, ...]:
    alarm.refresh_from_db()
    return (alarm.acknowledged_at, alarm.assignee_id, alarm.snoozed_until, alarm.false, alarm.suppressed_by_id, alarm.resolved_at)


@pytest.mark.parametrize(
    "act",
    [
        lambda who, number: acts.acknowledge(who.caller, number, by=who.by, now=NOW),
        lambda who, number: acts.assign(who.caller, number, who.user.pk, by=who.by, now=NOW),
        lambda who, number: acts.snooze(who.caller, number, after(60), by=who.by, now=NOW),
        lambda who, number: acts.resolve(who.caller, number, by=who.by, now=NOW),
        lambda who, number: acts.mark_false(who.caller, number, Scope.TEAM, after(60), by=who.by, now=NOW),
    ],
    ids=["acknowledge", "assign", "snooze", "resolve", "false"],
)
def test_each_act_can_be_undone_to_exactly_what_was(team, act):
    alarm = conflict()
    before = fields(alarm)
    done = act(team.bob, alarm.pk)
    assert fields(alarm) != before
    with pytest.raises(Denied) as refused:
        undo.undo(team.alice.caller, done.act.pk, by=team.alice.by, now=after(1))
    assert refused.value.status == 403
    undo.undo(team.bob.caller, done.act.pk, by=team.bob.by, now=after(1))
    assert fields(alarm) == before
    assert seen_by(team.bob.caller) == ["rover-1/s1"]
    assert not Suppression.objects.filter(expires_at__gt=after(1)).exists()
    with pytest.raises(BadAct):
        undo.undo(team.bob.caller, done.act.pk, by=team.bob.by, now=after(2))
    assert Entry.objects.filter(verb="undo").count() == 1


def test_an_act_cannot_be_undone_after_another_or_after_ten_minutes(team):
    alarm = conflict()
    first = acts.acknowledge(team.bob.caller, alarm.pk, by=team.bob.by, now=NOW).act
    with pytest.raises(BadAct, match="10"):
        undo.undo(team.bob.caller, first.pk, by=team.bob.by, now=after(601))
    acts.snooze(team.alice.caller, alarm.pk, after(60), by=team.alice.by, now=after(1))
    with pytest.raises(Late, match="alice"):
        undo.undo(team.bob.caller, first.pk, by=team.bob.by, now=after(2))


def test_what_was_closed_is_opened_again_unless_its_cause_has_a_new_alarm(team):
    alarm = conflict()
    done = acts.resolve(team.bob.caller, alarm.pk, by=team.bob.by, now=NOW)
    undo.reopen(team.alice.caller, alarm.pk, by=team.alice.by, now=after(1))
    assert seen_by(team.bob.caller) == ["rover-1/s1"]
    done = acts.resolve(team.bob.caller, alarm.pk, by=team.bob.by, now=after(2))
    conflict(now=after(3))
    with pytest.raises(BadAct):
        undo.undo(team.bob.caller, done.act.pk, by=team.bob.by, now=after(4))
    alarm.refresh_from_db()
    assert alarm.resolved_at == after(2)


def test_closing_one_of_many_robots_is_undone_for_all_of_them(team):
    for number in range(1, 6):
        raise_alarm(f"rover-{number}", "conflict", "s", "high", {}, NOW)
    storm = Alarm.objects.get(kind="many_robots")
    done = acts.resolve(team.bob.caller, storm.pk, by=team.bob.by, now=after(5))
    assert not Alarm.objects.filter(resolved_at=None).exists()
    undo.undo(team.bob.caller, done.act.pk, by=team.bob.by, now=after(6))
    assert Alarm.objects.filter(resolved_at=None).count() == 6


@pytest.mark.parametrize("text", ["", "  \x00 ", "x" * 2001])
def test_a_comment_has_its_length(team, text):
    with pytest.raises(BadAct):
        acts.comment(team.bob.caller, conflict().pk, text, by=team.bob.by, now=NOW)


def test_the_history_of_an_alarm_is_bounded_and_a_comment_takes_nobodys_turn(team):
    alarm = conflict()
    for number in range(MOST):
        acts.comment(team.bob.caller, alarm.pk, f"note {number}", by=team.bob.by, now=after(number))
    with pytest.raises(BadAct, match=str(MOST)):
        acts.comment(team.bob.caller, alarm.pk, "one more", by=team.bob.by, now=after(MOST))
    acts.acknowledge(team.alice.caller, alarm.pk, by=team.alice.by, now=after(MOST), seen=0)
    assert alarm.acts.count() == MOST
    assert alarm.acts.order_by("pk").first().said == {"text": "note 1"}
