"""What a robot did on a day, in one row: from its minutes, its alarms and what people did; summed up again while it may still change."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from croody_contract.messages import Born
from tests.cloud.telemetry.helpers import batch, reading

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)


def minutes(*spans: tuple[int, int], step: int = 1, mean: float = 1.0) -> list[Any]:
    from croody.telemetry.day_sums import Minute

    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    return [Minute(midnight + timedelta(minutes=at), 10, mean) for first, last in spans for at in range(first, last + 1, step)]


def test_a_whole_hour_is_sixty_minutes_without_a_gap() -> None:
    from croody.telemetry.day_sums import Sums, sums

    assert sums(minutes((0, 59))) == Sums(minutes=60, readings=600, gaps=0, gap_minutes=0)
    assert sums([]) == Sums()
    assert sums(minutes((7, 7))).minutes == 1


def test_a_silence_is_a_gap_and_no_time_with_readings() -> None:
    from croody.telemetry.day_sums import sums

    found = sums(minutes((0, 9), (30, 39)))
    assert (found.minutes, found.gaps, found.gap_minutes) == (20, 1, 20)
    # Two minutes are no gap yet.
    assert sums(minutes((0, 9), (11, 19))).gaps == 0


def test_who_speaks_every_five_minutes_is_there_in_between() -> None:
    from croody.telemetry.day_sums import sums

    found = sums(minutes((0, 55), step=5))
    assert (found.minutes, found.gaps) == (60, 0)
    assert sums(minutes((0, 25), (45, 55), step=5)).gaps == 1


def test_a_battery_counts_what_it_gives_and_a_way_what_was_driven() -> None:
    from croody.telemetry.day_sums import Minute, sums

    start = datetime(2026, 11, 24, tzinfo=UTC)
    battery = [Minute(start + timedelta(minutes=at), 1, charge) for at, charge in enumerate((100.0, 60.0, 20.0, 90.0, 70.0))]
    found = sums(minutes((0, 9)), battery, minutes((0, 9), mean=0.5))
    assert found.cycles == pytest.approx(1.0)
    assert found.distance_m == pytest.approx(300.0)
    assert sums(minutes((0, 9))).cycles is None


@pytest.fixture
def day(fleet: SimpleNamespace) -> None:
    """`rover-1` was heard yesterday noon, and sent ten minutes this morning, a reading every ten seconds; rolled up."""
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services

    start = NOW - timedelta(hours=1)
    records = [
        msgspec.structs.replace(
            reading(ts=start + timedelta(seconds=10 * number)),
            data={"TEMP": 20.0, "battery_pct": 100.0 - number, "speed_mps": 0.5},
        )
        for number in range(60)
    ]
    yesterday = NOW - timedelta(days=1)
    services.ingest_relay(batch("rover-1", "stream-a", 1, [Born(agent="1", ts=yesterday)]), now=yesterday)
    services.ingest_relay(batch("rover-1", "stream-a", 2, records), now=NOW)
    jobs.roll_up(NOW)


def test_a_day_has_one_row_a_robot_that_is_written_again(day: None, fleet: SimpleNamespace) -> None:
    from croody.alarms.models import Alarm
    from croody.audit.actor import Actor
    from croody.audit.services import record
    from croody.telemetry.jobs import count_days
    from croody.telemetry.models import RobotDay

    opened: dict[str, Any] = {"severity": "high", "opened_at": NOW - timedelta(minutes=50), "last_at": NOW}
    Alarm.objects.create(robot_id="rover-1", kind="offline", resolved_at=NOW - timedelta(minutes=40), **opened)
    Alarm.objects.create(robot_id="rover-1", kind="conflict", **opened)
    Alarm.objects.create(robot_id="rover-1", kind="low", **{**opened, "severity": "low"})
    alice = Actor("person", name="alice")
    for thing, key, after in (("robot", "rover-1", None), ("alarm", "7", {"robot": "rover-1"}), ("alarm", "8", {"robot": "rover-2"})):
        record(alice, "act", thing, key, organisation_id=fleet.alices.pk, after=after, now=NOW - timedelta(minutes=5))
    record(Actor("system"), "act", "robot", "rover-1", organisation_id=fleet.alices.pk, now=NOW - timedelta(minutes=5))
    for _ in range(2):
        count_days(NOW)
    row = RobotDay.objects.get(robot_id="rover-1", day=DAY)
    assert (row.possible, row.minutes, row.readings, row.gaps) == (720, 10, 60, 0)
    assert (row.failures, row.repairs, row.repair_s, row.interventions) == (2, 1, 600.0, 2)
    assert row.cycles == pytest.approx(0.54, abs=0.01)
    assert row.distance_m == pytest.approx(300.0)
    silent = RobotDay.objects.get(robot_id="rover-2", day=DAY)
    # Nobody ever heard it: its time has not begun.
    assert (silent.possible, silent.minutes, silent.interventions, silent.cycles) == (0, 0, 1, None)


def test_it_begins_with_the_robot_and_goes_on_from_the_last_row(day: None) -> None:
    from croody.telemetry.jobs import count_days
    from croody.telemetry.models import RobotDay

    count_days(NOW)
    mine = RobotDay.objects.filter(robot_id="rover-1").order_by("day")
    assert list(mine.values_list("day", "possible")) == [(DAY - timedelta(days=1), 720), (DAY, 720)]
    later = NOW + timedelta(days=3)
    count_days(later)
    assert [row.day for row in mine.all()] == [DAY + timedelta(days=number) for number in range(-1, 4)]
    noon, night = later + timedelta(hours=1), later + timedelta(hours=14)
    for moment, days in ((noon, {3}), (night, {3, 4})):
        count_days(moment)
        assert set(mine.filter(computed_at=moment).values_list("day", flat=True)) == {DAY + timedelta(days=number) for number in days}


def test_many_robots_take_several_runs_and_each_has_its_turn(fleet: SimpleNamespace) -> None:
    from croody.fleet.models import Robot
    from croody.telemetry.jobs import days
    from croody.telemetry.models import RobotDay, Stream

    names = [f"many-{number:04}" for number in range(2 * days._ROBOTS)]
    Robot.objects.bulk_create([Robot(robot_id=name, organisation=fleet.alices) for name in names])
    times = {"first_received_at": NOW - timedelta(days=20), "last_received_at": NOW}
    Stream.objects.bulk_create([Stream(robot_id=name, stream="http", have=((1, 2),), known_last=2, **times) for name in names])
    days.count_days(NOW)
    assert RobotDay.objects.values("robot_id").distinct().count() < Robot.objects.count()
    for _ in range(2):
        days.count_days(NOW)
    mine = RobotDay.objects.filter(robot_id__in=names)
    assert mine.values("robot_id").distinct().count() == len(names)
    assert mine.count() == len(names) * 21


def test_days_go_with_the_hours_they_were_made_of(fleet: SimpleNamespace, settings: Any) -> None:
    from croody.telemetry.jobs import apply_retention
    from croody.telemetry.models import RobotDay

    settings.ENV = dataclasses.replace(settings.ENV, rollup_days=100)
    for days in (99, 102):
        RobotDay.objects.create(robot_id="rover-1", day=DAY - timedelta(days=days), possible=1440, computed_at=NOW)
    apply_retention(NOW)
    assert list(RobotDay.objects.values_list("day", flat=True)) == [DAY - timedelta(days=99)]
