"""A robot opens so many alarms with words of its own, and no more; what is wrong with others stays where it is seen."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from croody.accounts.models import Organisation
from croody.alarms import jobs, kinds, queries
from croody.alarms.models import Alarm
from croody.alarms.quota import LASTS, QUOTA
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet import services
from croody.telemetry.kinds import of_robots_word
from croody.web.refusals import Denied

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def say(robot_id: str, code: str, now: datetime = NOW) -> Alarm:
    return raise_alarm(robot_id, of_robots_word(code), "", "critical", {}, now)


def test_beyond_its_quota_a_robots_words_are_one_alarm_that_ends_by_itself():
    most = settings.ENV.quotas.alarms
    for number in range(3 * most):
        say("rover-1", f"word_{number}")
    mine = Alarm.objects.filter(robot_id="rover-1")
    assert mine.count() == most + 1
    beyond = mine.get(kind=QUOTA.code)
    assert beyond.count == 2 * most - 0
    # What is open is still counted, and what the cloud finds is still raised.
    assert say("rover-1", "word_3").count == 2
    assert raise_alarm("rover-1", "offline", "", "high", {}, NOW).kind == "offline"
    assert say("rover-2", "word_0").kind == "word_0"
    jobs.close_old(NOW + LASTS + timedelta(seconds=1))
    assert not mine.filter(kind=QUOTA.code, resolved_at=None).exists()


def test_alarms_that_come_and_go_are_counted_by_the_day():
    most = settings.ENV.quotas.alarms
    for number in range(6 * most):
        say("rover-1", f"word_{number}")
        resolve_alarm("rover-1", f"word_{number}", "", NOW)
    assert Alarm.objects.filter(robot_id="rover-1").exclude(kind=QUOTA.code).count() == 5 * most
    assert say("rover-1", "word_of_tomorrow", NOW + timedelta(days=1, seconds=1)).kind == "word_of_tomorrow"


def test_gaps_and_conflicts_of_any_number_of_streams_are_counted_too():
    most = settings.ENV.quotas.alarms
    for number in range(most + 10):
        raise_alarm("rover-1", "gap", f"stream-{number:05}", "medium", {"missing": 1}, NOW)
    assert Alarm.objects.filter(kind="gap").count() == most
    assert Alarm.objects.get(kind=QUOTA.code).count == 10


def test_a_list_leads_through_all_alarms_page_by_page_whatever_ends_meanwhile():
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    services.add_robot("rover-1", organisation=organisation)
    services.add_robot("rover-2", organisation=organisation)
    from croody.accounts.caller import Caller

    caller = Caller("person", superuser=True)
    for number in range(60):
        say("rover-1", f"word_{number}", NOW + timedelta(seconds=number // 3))
        if number % 4 == 0:
            resolve_alarm("rover-1", f"word_{number}", "", NOW + timedelta(seconds=100 + number // 8))
    raise_alarm("rover-2", "gap", "s1", "medium", {}, NOW - timedelta(days=3))

    everything = queries.listed(queries.visible_to(caller), 100)
    found: list[Alarm] = []
    while page := queries.listed(queries.visible_to(caller), 7, found[-1].pk if found else None):
        found += page

    assert found == everything
    assert len(found) == 61
    assert "rover-2" in {alarm.robot_id for alarm in found}
    with pytest.raises(Denied, match="begin again"):
        queries.listed(queries.visible_to(caller), 7, 10**9)


def test_a_robot_cannot_raise_the_alarm_in_its_own_name():
    assert kinds.is_declared(QUOTA.code)
