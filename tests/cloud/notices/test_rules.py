"""Rules judge robots by what they said last: thresholds with hysteresis and duration, silence, change, expressions and areas."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms.kinds import find
from croody.alarms.models import Alarm
from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.console.rules.forms import as_form
from croody.fleet import services as fleet
from croody.fleet.models import Site
from croody.notices import jobs, services, spec
from croody.notices.models import Rule, RuleState
from croody.notices.preview import preview
from croody.notices.spec import BadRule
from croody.telemetry.models import Rollup
from croody.web.refusals import Denied
from tests.cloud.web.helpers import say

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def team() -> SimpleNamespace:
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    site = Site.objects.create(organisation=organisation, name="Bodega", slug="bodega")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    fleet.add_robot("rover-1", organisation=organisation, site=site)
    fleet.add_robot("rover-2", organisation=organisation)
    fleet.add_robot("carlos-1", organisation=elsewhere)
    found = {}
    for name, where, role in (("marta", organisation, "maintainer"), ("omar", organisation, "operator"), ("carlos", elsewhere, "owner")):
        user = User.objects.create_user(name)
        Membership.objects.create(user=user, organisation=where, role=role)
        found[name] = SimpleNamespace(caller=of_user(user), by=Actor("person", user_id=user.pk, name=name))
    return SimpleNamespace(organisation=organisation, site=site, **found)


@pytest.fixture
def made(team: SimpleNamespace) -> Callable[..., Rule]:
    def make(kind: str, **given: Any) -> Rule:
        return services.save_rule(team.marta.caller, {"name": "Rule", "kind": kind, **given}, by=team.marta.by, now=NOW)

    return make


class Talk:
    """A robot that says one thing after the other, and the rules that look at it each time."""

    def __init__(self, robot_id: str = "rover-1") -> None:
        self.robot_id = robot_id
        self.seq = 1

    def __call__(self, at: float, **data: Any) -> bool:
        """Whether an alarm of a rule is open after that."""
        say(self.robot_id, self.seq, data, now=after(at))
        self.seq += 1 + (self.seq == 1)
        return self.look(at)

    def look(self, at: float) -> bool:
        jobs.judge_rules(after(at))
        return Alarm.objects.filter(robot_id=self.robot_id, kind="rule", resolved_at=None).exists()


def test_a_threshold_raises_above_it_and_ends_below_its_hysteresis(made):
    rule = made("threshold", metric="t", limit="80", hysteresis="5", severity="high", name="Motor caliente")
    talk = Talk()
    assert [talk(at, t=value) for at, value in enumerate((79, 80, 81, 78, 76, 75, 79))] == [False, False, True, True, True, False, False]
    alarm = Alarm.objects.get(kind="rule")
    assert (alarm.key, alarm.severity, alarm.count) == (str(rule.pk), "high", 1)
    assert find("rule").sentence(alarm.detail, "es") == "Motor caliente: T 81 (límite 80)."
    assert not RuleState.objects.exists()


def test_it_can_be_below_too(made):
    made("threshold", metric="battery_pct", limit="15", side="below", hysteresis="5")
    talk = Talk()
    assert [talk(at, battery_pct=value) for at, value in enumerate((16, 14, 19, 20))] == [False, True, True, False]


def test_it_must_hold_for_its_duration_without_a_break(made):
    made("threshold", metric="t", limit="80", for_s="120")
    talk = Talk()
    times = (0, 60, 119, 121, 130)
    assert [talk(at, t=90) for at in times] == [False, False, False, True, True]
    assert not talk(200, t=10)
    assert not talk(210, t=90)
    assert not talk(300, t=10), "it heals by itself before anybody is disturbed"
    assert not talk(331, t=90)


def test_what_is_not_known_changes_nothing(made):
    made("threshold", metric="t", limit="80")
    talk = Talk()
    assert talk(0, t=90)
    assert talk(1, other=1), "the metric is missing"
    assert talk(2, t="hot")
    assert talk.look(3600), "an old reading says nothing of now"
    assert not talk(3601, t=10)


def test_silence_is_a_rule_of_its_own_for_a_robot_and_for_a_metric(made):
    made("absence", silence_s="120", name="Silence")
    talk = Talk()
    assert not talk(0, t=1)
    assert not talk.look(119)
    assert talk.look(121)
    assert not talk(130, t=1)
    Rule.objects.all().delete()
    made("absence", silence_s="120", metric="t", name="No t")
    assert [talk(at, u=1) for at in (140, 200, 259, 261)] == [False, False, False, True]
    assert not talk(262, t=1)


def test_a_robot_that_never_spoke_is_judged_by_nobody(made):
    rule = made("absence", silence_s="60")
    jobs.judge_rules(after(9999))
    assert not Alarm.objects.filter(kind="rule").exists()
    rule.refresh_from_db()
    assert (rule.judged, rule.judged_at) == (0, after(9999))


def test_a_change_is_measured_over_its_window_and_not_over_a_hole(made):
    made("rate", metric="t", limit="10", window_s="60")
    talk = Talk()
    assert [talk(at, t=value) for at, value in ((0, 20), (30, 29), (60, 29), (120, 45))] == [False, False, False, True]
    assert not talk(180, t=46)
    assert not talk(1000, t=500), "what happened in a hole is no change a minute"


def test_an_expression_looks_at_several_metrics(made):
    made("expression", expression="motor_temp_c > 70 and abs(speed_mps) < 0.1")
    talk = Talk()
    assert [talk(0, motor_temp_c=80, speed_mps=1.0), talk(1, motor_temp_c=80, speed_mps=-0.05), talk(2, motor_temp_c=60, speed_mps=0)] == [
        False,
        True,
        False,
    ]


def test_an_area_is_left_or_entered(made):
    made("fence", points="0,0; 10,0; 10,10; 0,10", name="Leaves")
    talk = Talk()
    assert [talk(at, x_m=x, y_m=5) for at, x in enumerate((5, 11, 9))] == [False, True, False]
    Rule.objects.all().delete()
    made("fence", points="0,0\n10,0\n10,10", side="inside", name="Enters")
    assert [talk(at, x_m=x, y_m=1) for at, x in ((10, 20), (11, 5), (12, 20))] == [False, True, False]


def test_a_rule_is_about_all_robots_those_of_a_site_or_one(made, team):
    everybody = made("threshold", metric="t", limit="80")
    one, two, other = Talk("rover-1"), Talk("rover-2"), Talk("carlos-1")
    assert [one(0, t=90), two(0, t=90), other(0, t=90)] == [True, True, False]
    services.delete_rule(team.marta.caller, everybody.pk, by=team.marta.by, now=after(1))
    assert not Alarm.objects.filter(kind="rule", resolved_at=None).exists()
    made("threshold", metric="t", limit="80", site=str(team.site.pk))
    assert [one.look(2), two.look(2)] == [True, False]
    Rule.objects.all().delete()
    Alarm.objects.all().delete()
    made("threshold", metric="t", limit="80", robot_id="rover-2")
    assert [one.look(3), two.look(3)] == [False, True]


def test_a_changed_rule_begins_anew_and_a_disabled_one_is_quiet(made, team):
    rule = made("threshold", metric="t", limit="80")
    talk = Talk()
    assert talk(0, t=90)
    given = {"name": "Rule", "metric": "t", "limit": "95"}
    services.save_rule(team.marta.caller, given, rule, by=team.marta.by, now=after(1))
    assert not talk(2, t=91)
    services.save_rule(team.marta.caller, {**given, "limit": "80", "enabled": "off"}, rule, by=team.marta.by, now=after(3))
    assert not talk(4, t=99)


def test_a_robot_that_leaves_the_scope_takes_its_alarm_along(made, team):
    made("threshold", metric="t", limit="80", site=str(team.site.pk))
    talk = Talk()
    assert talk(0, t=90)
    from croody.fleet.models import Robot

    Robot.objects.filter(pk="rover-1").update(site=None)
    assert not talk.look(1)
    assert not RuleState.objects.exists()


def test_looking_writes_nothing_while_nothing_changes(made, django_assert_max_num_queries):
    for number in range(10):
        made("threshold", metric="t", limit=str(80 + number), name=f"Rule {number}")
    talk = Talk()
    talk(0, t=10)
    with django_assert_max_num_queries(6):
        jobs.judge_rules(after(5))


@pytest.mark.parametrize(
    ("field", "kind", "given"),
    [
        ("name", "threshold", {"name": " ", "metric": "t", "limit": "1"}),
        ("name", "threshold", {"name": "x" * 81, "metric": "t", "limit": "1"}),
        ("kind", "magic", {}),
        ("metric", "threshold", {"limit": "1"}),
        ("limit", "threshold", {"metric": "t", "limit": "warm"}),
        ("limit", "threshold", {"metric": "t", "limit": "nan"}),
        ("hysteresis", "threshold", {"metric": "t", "limit": "1", "hysteresis": "-1"}),
        ("limit", "threshold", {"metric": "t", "limit": "1,500"}),
        ("hysteresis", "threshold", {"metric": "t", "limit": "1", "hysteresis": "1.500"}),
        ("limit", "rate", {"metric": "t", "limit": "1.500", "window_s": "60"}),
        ("window_s", "rate", {"metric": "t", "limit": "1", "window_s": "90,5"}),
        ("silence_s", "absence", {"silence_s": "1,500"}),
        ("for_s", "absence", {"silence_s": "600", "for_s": "1.5"}),
        ("side", "threshold", {"metric": "t", "limit": "1", "side": "beside"}),
        ("silence_s", "absence", {"silence_s": "5"}),
        ("window_s", "rate", {"metric": "t", "limit": "1", "window_s": "1e9"}),
        ("expression", "expression", {"expression": "import os"}),
        ("points", "fence", {"points": "0,0; 1,1"}),
        ("points", "fence", {"points": "0,0; 1,1; x,y"}),
        ("for_s", "threshold", {"metric": "t", "limit": "1", "for_s": "999999"}),
        ("severity", "threshold", {"metric": "t", "limit": "1", "severity": "urgent"}),
        ("robot_id", "threshold", {"metric": "t", "limit": "1", "robot_id": "carlos-1"}),
        ("site", "threshold", {"metric": "t", "limit": "1", "site": "99999"}),
    ],
)
def test_a_rule_that_says_nonsense_is_refused_at_its_field_and_half_of_it_is_not_kept(made, field, kind, given):
    with pytest.raises(BadRule) as refused:
        made(kind, **given)
    assert refused.value.field == field
    assert not Rule.objects.exists()


def test_numbers_are_kept_in_one_way_of_writing_them(made):
    rule = made("threshold", metric="t", limit="1 500,50", hysteresis="\u22120", for_s="1 200")
    assert (rule.params["limit"], float(rule.params["hysteresis"]), rule.for_s) == ("1500.5", 0, 1200)


def test_a_rule_that_was_saved_before_numbers_were_looked_at_means_what_it_meant(team, made):
    rule = made("threshold", metric="t", limit="80")
    Rule.objects.filter(pk=rule.pk).update(params={"metric": "t", "limit": "1,500", "hysteresis": "0,250"})
    rule.refresh_from_db()
    assert spec.read(rule.kind, rule.params) == spec.read("threshold", {"metric": "t", "limit": "1.5", "hysteresis": "0.25"})
    talk = Talk()
    assert [talk(at, t=value) for at, value in enumerate((1.4, 1.6, 1.3, 1.25))] == [False, True, True, False]
    Rule.objects.filter(pk=rule.pk).update(kind="absence", params={"silence_s": "90.5"})
    rule.refresh_from_db()
    assert spec.read(rule.kind, rule.params).silence_s == 90
    services.save_rule(team.marta.caller, {**as_form(rule), "silence_s": "90"}, rule, by=team.marta.by, now=NOW)
    assert rule.params == {"silence_s": "90"}


def test_a_rule_that_is_deleted_while_it_is_judged_leaves_nothing_raised(team, made, monkeypatch):
    rule = made("threshold", metric="t", limit="80")
    say("rover-1", 1, {"t": 99}, now=NOW)
    judged = jobs._judge

    def and_deletes(*given):
        services.delete_rule(team.marta.caller, rule.pk, by=team.marta.by, now=NOW)
        judged(*given)

    monkeypatch.setattr(jobs, "_judge", and_deletes)
    jobs.judge_rules(NOW)
    assert not Alarm.objects.filter(resolved_at=None).exists()
    assert not RuleState.objects.exists()


def test_who_may_change_rules_and_that_it_is_written_down(team, made):
    rule = made("threshold", metric="t", limit="80")
    assert list(Entry.objects.filter(thing="rule").values_list("verb", "thing_id")) == [("add", str(rule.pk))]
    given = {"name": "R", "kind": "threshold", "metric": "t", "limit": "1"}
    with pytest.raises(Denied) as refused:
        services.save_rule(team.omar.caller, given, by=team.omar.by, now=NOW)
    assert refused.value.status == 403
    for who, status in ((team.omar, 403), (team.carlos, 404)):
        for call in (services.rule_of, lambda caller, number, who=who: services.delete_rule(caller, number, by=who.by, now=NOW)):
            with pytest.raises(Denied) as refused:
                call(who.caller, rule.pk)
            assert refused.value.status == status


def roll(robot_id: str, metric: str, *minutes: tuple[int, float, float]) -> None:
    """Roll-ups of minutes (minutes ago, low, high), and of their hours."""
    rows: list[Rollup] = []
    hours: dict[datetime, list[float]] = {}
    for ago, low, high in minutes:
        at = (NOW - timedelta(minutes=ago)).replace(second=0)
        rows.append(Rollup(robot_id=robot_id, metric=metric, step_s=60, at=at, count=60, mean=(low + high) / 2, low=low, high=high))
        hours.setdefault(at.replace(minute=0), []).extend((low, high))
    for hour, values in hours.items():
        ends = {"mean": sum(values) / len(values), "low": min(values), "high": max(values)}
        rows.append(Rollup(robot_id=robot_id, metric=metric, step_s=3600, at=hour, count=60, **ends))
    Rollup.objects.bulk_create(rows)


def test_a_preview_says_how_often_it_would_have_raised_and_when():
    minutes = dict.fromkeys(range(1, 3 * 1440), (20.0, 21.0))
    for ago in (2000, 1999, 1998, 700, 60):
        minutes[ago] = (85.0, 90.0)
    roll("rover-1", "t", *((ago, *values) for ago, values in minutes.items()))
    asked = spec.read("threshold", {"metric": "t", "limit": "80"})
    found = preview(asked, 0, ["rover-1", "rover-2"], NOW)
    assert (found.count, found.whole) == (3, True)
    assert [(NOW - moment.begins) / timedelta(minutes=1) for moment in found.moments] == [60, 700, 2000]
    assert found.moments[2].ends == NOW - timedelta(minutes=1997)
    assert preview(asked, 120, ["rover-1"], NOW).count == 1, "two minutes long was only the first"
    high = spec.read("threshold", {"metric": "t", "limit": "95"})
    assert preview(high, 0, ["rover-1"], NOW).count == 0


def test_a_preview_of_an_expression_joins_metrics_and_one_of_silence_finds_holes():
    roll("rover-1", "t", *((ago, 85.0, 86.0) for ago in range(1, 600)))
    roll("rover-1", "s", *((ago, 1.0, 1.1) if ago != 300 else (ago, 0.0, 0.01) for ago in range(1, 600) if not 100 < ago < 130))
    both = spec.read("expression", {"expression": "t > 80 and s < 0.1"})
    assert [round((NOW - moment.begins) / timedelta(minutes=1)) for moment in preview(both, 0, ["rover-1"], NOW).moments] == [300]
    silence = spec.read("absence", {"metric": "s", "silence_s": "600"})
    found = preview(silence, 0, ["rover-1"], NOW)
    assert found.count == 1
    assert 100 < (NOW - found.moments[0].begins) / timedelta(minutes=1) < 130


def test_a_preview_of_a_change_sees_it():
    roll("rover-1", "t", *((ago, 20.0, 20.0) if ago > 100 else (ago, 60.0, 60.0) for ago in range(1, 600)))
    asked = spec.read("rate", {"metric": "t", "limit": "10", "window_s": "60"})
    assert preview(asked, 0, ["rover-1"], NOW).count == 1


def test_a_preview_of_many_robots_says_how_many_it_looked_at():
    asked = spec.read("threshold", {"metric": "t", "limit": "80"})
    found = preview(asked, 0, [f"robot-{number}" for number in range(500)], NOW)
    assert (found.robots, found.of, found.whole, found.count) == (40, 500, False, 0)
