"""Credential files and alarms for silent robots."""

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from croody.alarms.models import Alarm
from croody.fleet import jobs, services
from croody.fleet.models import Robot
from croody.liveness import jobs as liveness
from croody.liveness import listening, signs
from croody.liveness.judge import State
from croody.telemetry.models import Presence, Stream
from croody.telemetry.store.presence import write_presence
from croody_contract import mosquitto
from croody_contract.messages import Presence as Word
from croody_contract.relay import PresenceItem

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def accounts(folder) -> dict[str, str]:
    return dict(line.split(":", 1) for line in (folder / "passwd").read_text().splitlines())


def test_the_files_follow_every_change_and_rest_when_there_is_none(people, tmp_path):
    write = jobs.CredentialWriter(tmp_path / "broker", "the bridge's password")
    assert write()
    folder = tmp_path / "broker"
    first = accounts(folder)
    assert set(first) == {"bridge", "rover-1"}
    assert mosquitto.verify(people.rover_secret, first["rover-1"])
    assert mosquitto.verify("the bridge's password", first["bridge"])
    before = (folder / "passwd").stat().st_ino
    assert not write()
    assert (folder / "passwd").stat().st_ino == before
    fresh = services.rotate_secret(people.rover)
    assert write()
    assert mosquitto.verify(fresh, accounts(folder)["rover-1"])
    assert accounts(folder)["bridge"] == first["bridge"]
    services.revoke(people.rover, now=NOW)
    assert write()
    assert set(accounts(folder)) == {"bridge"}


def test_a_worker_that_starts_again_leaves_equal_files_alone(people, tmp_path):
    jobs.CredentialWriter(tmp_path, "the bridge's password")()
    before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    assert not jobs.CredentialWriter(tmp_path, "the bridge's password")()
    assert {path.name: path.stat().st_ino for path in tmp_path.iterdir()} == before
    assert jobs.CredentialWriter(tmp_path, "another password")()
    assert mosquitto.verify("another password", accounts(tmp_path)["bridge"])


def test_the_files_are_not_for_everybody_and_a_removed_one_comes_back(people, tmp_path):
    write = jobs.CredentialWriter(tmp_path / "broker", "the bridge's password")
    write()
    for name in ("passwd", "passwd.bridge", "acl"):
        path = tmp_path / "broker" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        os.unlink(path)
    assert write()
    assert sorted(path.name for path in (tmp_path / "broker").iterdir()) == ["acl", "passwd", "passwd.bridge"]


def heard(robot_id: str, at: datetime) -> None:
    Stream.objects.update_or_create(robot_id=robot_id, stream="a" * 8, defaults={"first_received_at": at, "last_received_at": at})


def offline() -> list[str]:
    return list(Alarm.objects.filter(kind="offline", resolved_at=None).values_list("robot_id", flat=True))


def test_a_robot_that_falls_silent_raises_one_alarm_and_closes_it_when_it_is_back(people):
    heard("rover-1", NOW)
    liveness.judge_liveness(after(1))
    assert offline() == []
    liveness.judge_liveness(after(400))
    liveness.judge_liveness(after(402))
    assert offline() == ["rover-1"]
    assert Alarm.objects.get().count == 1
    heard("rover-1", after(403))
    liveness.judge_liveness(after(404))
    assert offline() == []
    assert Alarm.objects.get().resolved_at == after(404)


def test_a_robot_never_seen_raises_none(people):
    liveness.judge_liveness(after(100_000))
    assert Alarm.objects.count() == 0


def test_nothing_is_said_while_the_cloud_itself_is_deaf_nor_right_after(people):
    Presence.objects.create(robot_id="rover-1", state="online", since=NOW, received_at=NOW)
    heard("rover-1", NOW)
    listening.note(NOW)
    liveness.judge_liveness(after(300))
    assert offline() == []
    listening.note(after(301))
    liveness.judge_liveness(after(302))
    assert offline() == []
    for second in range(302, 400, 2):
        listening.note(after(second))
    liveness.judge_liveness(after(400))
    assert offline() == ["rover-1"]


def test_a_clean_stop_of_many_robots_at_once_is_no_alarm_and_a_lost_one_among_them_is(people):
    names = [f"sim-{number}" for number in range(195)]
    for name in names:
        heard(name, NOW)
    Robot.objects.bulk_create(Robot(robot_id=name, organisation=people.organisation) for name in names)
    say([PresenceItem(name, Word("online", stream="a" * 8)) for name in names], NOW)
    say([PresenceItem(name, Word("offline", stream="a" * 8, goodbye=True)) for name in names[1:]], after(10))
    say([PresenceItem(names[0], Word("offline"))], after(10))
    for second in (12, 40, 400, 90_000):
        liveness.judge_liveness(after(second))
    assert offline() == [names[0]]
    states = signs.states_of(names, now=after(90_000))
    assert {states[name] for name in names[1:]} == {State.OFF}
    heard(names[0], after(90_001))
    say([PresenceItem(names[0], Word("offline", goodbye=True))], after(90_001))
    liveness.judge_liveness(after(90_002))
    assert offline() == [], "it said goodbye after all"


def say(items: list[PresenceItem], at: datetime) -> None:
    write_presence(items, at, settings.TELEMETRY_DB)


def test_the_alarm_of_a_revoked_robot_is_closed(people):
    heard("rover-1", NOW)
    liveness.judge_liveness(after(400))
    services.revoke(people.rover, now=after(401))
    liveness.judge_liveness(after(402))
    assert offline() == []


def test_the_status_is_that_of_the_last_stream_with_a_reading_whatever_came_in_later(people):
    for name, place, seq, status in (("old-stream", 1.0, 5, "moving"), ("new-stream", 2.0, 3, "idle"), ("born-only", 3.0, None, None)):
        Stream.objects.create(
            robot_id="rover-1",
            stream=name,
            place=place,
            first_received_at=NOW,
            last_received_at=after(9 - place),
            latest_seq=seq,
            latest_at=NOW if seq else None,
            latest={"status": status} if seq else None,
        )
    found = signs.signs_of(["rover-1", "never-seen"])
    assert (found["rover-1"].status, found["rover-1"].heard_at) == ("idle", after(8))
    assert found["never-seen"] == type(found["never-seen"])()


def test_robots_that_a_simulator_borrowed_go_an_hour_after_they_were_heard_last(people):
    for robot_id in ("sim-1", "sim-2", "sim-3"):
        services.add_robot(robot_id, organisation=people.organisation, borrowed=True)
    services.add_robot("kept-1", organisation=people.organisation)
    Robot.objects.update(created_at=NOW)
    write_presence(
        [PresenceItem("sim-1", Word(state="offline", goodbye=True)), PresenceItem("kept-1", Word(state="offline"))],
        after(60),
        settings.TELEMETRY_DB,
    )
    write_presence([PresenceItem("sim-2", Word(state="online"))], after(3000), settings.TELEMETRY_DB)
    liveness.retire_borrowed(after(3500))
    assert not Robot.objects.filter(deleted_at__isnull=False).exists()
    liveness.retire_borrowed(after(3700))
    assert set(Robot.objects.filter(deleted_at__isnull=False).values_list("pk", flat=True)) == {"sim-1", "sim-3"}
    liveness.retire_borrowed(after(6700))
    assert set(Robot.objects.filter(deleted_at=None).values_list("pk", flat=True)) == {"rover-1", "kept-1"}
