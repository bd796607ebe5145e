"""Many robots with one cause in a minute are one alarm."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User

from croody.accounts.caller import Caller, of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms import jobs, kinds, queries, storms
from croody.alarms.acts import close_as
from croody.alarms.models import Alarm
from croody.alarms.services import EndsByItself, raise_alarm, resolve_alarm
from croody.audit.actor import SYSTEM
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.web.refusals import Denied

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def people() -> SimpleNamespace:
    """Alice owns twelve rovers, Bob only looks at them; Carlos has six drones."""
    alices, carlos = (Organisation.objects.create(name=name, slug=name) for name in ("alices", "carlos"))
    users = {name: User.objects.create_user(name) for name in ("alice", "bob", "carlos")}
    for name, organisation, role in (("alice", alices, "owner"), ("bob", alices, "viewer"), ("carlos", carlos, "owner")):
        Membership.objects.create(user=users[name], organisation=organisation, role=role)
    for number in range(12):
        services.add_robot(f"rover-{number}", organisation=alices)
    for number in range(6):
        services.add_robot(f"drone-{number}", organisation=carlos)
    return SimpleNamespace(**{name: of_user(user) for name, user in users.items()}, alices=alices, organisation=carlos)


def silent(names: range, *, robot: str = "rover", at: float = 0.0) -> None:
    for number in names:
        raise_alarm(f"{robot}-{number}", "offline", "", "high", {}, after(at + number / 10))


def listed(caller: Caller, **still: None) -> list[tuple[str, str, int]]:
    found = list(queries.in_one_list(caller).filter(**still))
    robots = queries.robots_of(found, caller, 3)
    return [(storms.kind_of(alarm).code, alarm.robot_id, robots[alarm.pk].how_many) for alarm in found]


def test_five_robots_that_fall_silent_in_a_minute_are_one_alarm_and_those_that_follow_join_it(people):
    silent(range(4))
    assert len(listed(people.alice)) == 4
    silent(range(4, 12))
    assert listed(people.alice) == [("offline", "", 12)]
    storm = Alarm.objects.get(kind="many_robots")
    assert (storm.count, storm.severity, storm.organisation) == (12, "high", people.alices)
    assert storms.STORM.sentence({"kind": "offline", "robots": 12}, "es").startswith("12 robots dejaron de dar señales a la vez")
    assert queries.robots_of([storm], people.alice, 3)[storm.pk].names == ("rover-0", "rover-1", "rover-10")


def test_robots_that_fall_silent_one_by_one_are_alarms_of_their_own(people):
    for number in range(12):
        raise_alarm(f"rover-{number}", "offline", "", "high", {}, after(number * 20))
    assert len(listed(people.alice)) == 12
    assert not Alarm.objects.filter(kind="many_robots").exists()


def test_another_kind_and_one_robot_with_many_alarms_are_not_put_together(people):
    for number, kind in enumerate(("gap", "conflict", "offline", "anomaly", "outbox_corrupt")):
        raise_alarm(f"rover-{number}", kind, "", "high", {}, NOW)
    for number in range(9):
        raise_alarm("rover-1", "gap", f"s{number}", "medium", {}, NOW)
    assert len(listed(people.alice)) == 14


def test_one_code_from_many_robots_is_one_alarm_as_severe_as_the_worst(people):
    word = kinds.find("smoke")
    for number in range(6):
        raise_alarm(f"rover-{number}", word, "", "medium", {}, after(number))
    raise_alarm("rover-3", word, "", "critical", {}, after(20))
    assert Alarm.objects.get(kind="many_robots").severity == "critical"
    assert listed(people.alice) == [("smoke", "", 6)]


def test_it_ends_with_its_last_robot_and_counts_those_that_are_left(people):
    silent(range(6))
    for number in range(5):
        assert resolve_alarm(f"rover-{number}", "offline", "", after(100 + number))
    assert listed(people.alice, resolved_at=None) == [("offline", "", 1)]
    resolve_alarm("rover-5", "offline", "", after(120))
    assert listed(people.alice, resolved_at=None) == []
    assert Alarm.objects.get(kind="many_robots").resolved_at == after(120)
    assert listed(people.alice) == [("offline", "", 6)], "what is over still says whom it concerned"


def test_it_ends_as_well_when_its_robots_are_revoked_or_its_kinds_time_is_over(people):
    silent(range(5))
    for robot in Robot.objects.filter(pk__startswith="rover"):
        services.revoke(robot, now=after(30))
    assert Alarm.objects.get(kind="many_robots").resolved_at == after(30)
    word = kinds.find("smoke")
    for number in range(5):
        raise_alarm(f"drone-{number}", word, "", "medium", {}, after(40))
    jobs.close_old(after(40) + timedelta(days=1, seconds=1))
    assert not Alarm.objects.filter(resolved_at=None).exists()


def test_what_flickers_within_the_minute_goes_on_as_the_same_one(people):
    silent(range(6))
    for number in range(6):
        resolve_alarm(f"rover-{number}", "offline", "", after(5))
    silent(range(6), at=20)
    assert Alarm.objects.filter(kind="many_robots").count() == 1
    assert listed(people.alice, resolved_at=None) == [("offline", "", 6)]


def test_a_single_robot_that_falls_silent_later_is_an_alarm_of_its_own_and_another_burst_joins(people):
    silent(range(5))
    raise_alarm("rover-9", "offline", "", "high", {}, after(600))
    assert sorted(listed(people.alice)) == [("offline", "", 5), ("offline", "rover-9", 1)]
    silent(range(5, 9), at=610)
    assert listed(people.alice) == [("offline", "", 10)]


def test_who_may_see_which_robots_still_holds(people):
    silent(range(5))
    silent(range(6), robot="drone")
    assert listed(people.alice) == listed(people.bob) == [("offline", "", 5)]
    assert listed(people.carlos) == [("offline", "", 6)]
    assert sorted(count for _kind, _robot, count in listed(of_user(User.objects.create_superuser("root-user")))) == [5, 6]
    Robot.objects.filter(pk="rover-1").update(organisation=people.organisation)
    (own,) = queries.in_one_list(people.alice)
    assert queries.robots_of([own], people.alice, 9)[own.pk].names == ("rover-0", "rover-2", "rover-3", "rover-4")


def test_a_person_closes_it_for_all_its_robots_where_the_kind_may_be_closed(people):
    word = kinds.find("smoke")
    for number in range(6):
        raise_alarm(f"rover-{number}", word, "", "medium", {}, NOW)
    storm = Alarm.objects.get(kind="many_robots")
    for caller, status in ((people.carlos, 404), (people.bob, 403)):
        with pytest.raises(Denied) as refused:
            close_as(caller, storm.pk, after(5), actor=SYSTEM)
        assert refused.value.status == status
    assert close_as(people.alice, storm.pk, after(5), actor=SYSTEM).resolved_at == after(5)
    assert not Alarm.objects.filter(resolved_at=None).exists()
    silent(range(5))
    with pytest.raises(EndsByItself, match="offline ends by itself"):
        close_as(people.alice, Alarm.objects.get(kind="many_robots", resolved_at=None).pk, after(9), actor=SYSTEM)


def test_a_whole_that_a_crash_left_without_parts_ends_with_the_next_tidying(people):
    silent(range(5))
    Alarm.objects.exclude(kind="many_robots").update(resolved_at=after(3))
    jobs.close_old(after(30))
    assert Alarm.objects.filter(kind="many_robots", resolved_at=None).exists(), "it may only just have been opened"
    jobs.close_old(after(90))
    assert not Alarm.objects.filter(resolved_at=None).exists()


def test_the_head_of_a_page_counts_it_once_and_gaps_by_robot(people):
    for number in range(7):
        raise_alarm(f"rover-{number}", "gap", "s", "medium", {"missing": 1}, NOW)
    raise_alarm("rover-1", "conflict", "s", "high", {}, NOW)
    assert queries.how_many(queries.open_by_kind()) == 2
    from croody.monitor import facts

    roster = facts.roster(people.alice, NOW)
    assert (roster.alarms, roster.gaps) == (2, 7)


def test_many_robots_at_one_site_say_which_and_those_at_two_do_not(people):
    hall = Site.objects.create(organisation=people.alices, name="Nave 1", slug="nave-1")
    Robot.objects.filter(pk__startswith="rover").update(site=hall)
    silent(range(5))
    (storm,) = queries.in_one_list(people.alice)
    assert queries.robots_of([storm], people.alice, 3)[storm.pk].site == "Nave 1"
    Robot.objects.filter(pk="rover-4").update(site=None)
    assert queries.robots_of([storm], people.alice, 3)[storm.pk].site == ""
