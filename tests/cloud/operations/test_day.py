"""`croody demo --day`: what the pages are judged with, through the services that real data goes through."""

import dataclasses
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from croody.accounts.caller import of_user
from croody.alarms.models import Alarm
from croody.fleet import access
from croody.fleet.models import Robot
from croody.liveness.judge import State
from croody.liveness.signs import states_of
from croody.operations.day import cast, people
from croody.operations.day.life import Life
from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.models import DeadLetter, Record, RobotDay, Rollup, Stream


@pytest.fixture
def demo(settings: Any) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, demo=True)


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_day_has_everything_that_a_page_can_show(demo: None) -> None:
    told = said("--day", "--hours", "6")
    states = states_of(Robot.objects.filter(organisation__slug="demo").values_list("pk", flat=True), now=timezone.now())

    assert len(states) == 40
    assert states["norte-09"] is State.OFFLINE
    assert states["norte-18"] is State.OFF
    assert states[cast.NEVER_SPOKE] is State.UNKNOWN
    assert sum(state in (State.ONLINE, State.MOVING) for state in states.values()) > 30
    assert Alarm.objects.filter(robot_id="norte-04", kind="rule", resolved_at=None).exists()
    assert states["norte-17"] is State.MAINTENANCE
    assert Alarm.objects.get(robot_id="norte-04", kind="motor_overheated", resolved_at=None).assignee == User.objects.get(username="marta")
    assert Alarm.objects.filter(snoozed_until__gt=timezone.now()).get().robot_id == "norte-16"
    assert Robot.objects.get(pk="norte-04").label
    assert {"critical", "high", "medium"} <= set(Alarm.objects.filter(resolved_at=None).values_list("severity", flat=True))
    assert Alarm.objects.filter(kind="many_robots", resolved_at__isnull=False).get().parts.count() == 12
    assert {"conflict", "not_finite", "bad_value", "unknown_robot"} <= set(DeadLetter.objects.values_list("reason", flat=True))
    row = Stream.objects.get(robot_id="norte-13")
    assert missing(Entry(row.have, row.dead, row.dropped, row.known_last))
    assert Record.objects.filter(robot_id="norte-06", historical=True).exists()
    assert Record.objects.filter(robot_id="patio-03", historical=True).exists()
    assert "湿度_pct" in Record.objects.filter(robot_id=cast.LONG_ID, kind="reading").latest("at").data
    assert RobotDay.objects.filter(robot_id="norte-01").exists()
    assert Rollup.objects.filter(robot_id="norte-01", step_s=3600, metric="battery_pct").count() >= 6
    assert all(f"  {person.username}\t{person.role}\t" in told for person in cast.PEOPLE)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_day_is_played_once_and_ends_now(demo: None) -> None:
    said("--day", "--hours", "1")
    newest = Record.objects.latest("received_at").received_at
    assert (timezone.now() - newest).total_seconds() < 20
    records, alarms = Record.objects.count(), Alarm.objects.count()

    said("--day", "--hours", "1")

    assert (Record.objects.count(), Alarm.objects.count()) == (records, alarms)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_of_the_day_nobody_of_another_organisation_sees_a_robot_that_is_not_shared(demo: None) -> None:
    people.make(timezone.now())

    seen = access.ids_seen(of_user(User.objects.get(username="carlos")))

    assert {"rio-01", "rio-02"} <= seen
    assert not seen & {member.robot_id for member in cast.members() if not member.shared}
    assert len(access.ids_seen(of_user(User.objects.get(username="vera")))) == 40


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_fleet_of_many_speaks(demo: None) -> None:
    said("--fleet", "150")

    states = states_of([f"flota-{number:04d}" for number in range(1, 151)], now=timezone.now())

    assert list(states.values()).count(State.OFFLINE) == 1
    assert State.UNKNOWN not in states.values()


@pytest.mark.django_db
def test_outside_the_demo_a_day_is_refused(settings: Any) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, demo=False)

    with pytest.raises(CommandError, match="CROODY_DEMO=1"):
        said("--day")
    assert not Robot.objects.exists()


def test_the_same_seed_gives_the_same_life() -> None:
    member, place = cast.members()[0], cast.SITES[0]
    one, other, third = Life(member, place, 7), Life(member, place, 7), Life(member, place, 8)

    lives = [[life.step(9.0) for _ in range(50)] for life in (one, other, third)]

    assert lives[0] == lives[1] != lives[2]


def test_over_a_day_batteries_drain_and_charge_and_robots_stay_on_the_plan() -> None:
    life = Life(cast.members()[0], cast.SITES[0], 7)
    day = [life.step(number / 120) for number in range(24 * 120)]
    levels = [moment.data["battery_pct"] for moment in day]

    assert min(levels) < 30
    assert max(levels) > 90
    assert {"moving", "idle", "charging"} <= {moment.status for moment in day}
    assert all(0 <= moment.data["x_m"] <= 60 and 0 <= moment.data["y_m"] <= 36 for moment in day)
