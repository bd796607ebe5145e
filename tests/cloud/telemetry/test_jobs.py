"""What runs by the clock, with the clock as an argument."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from croody_contract.messages import Born, Event, Reading, Tombstone
from tests.cloud.telemetry.helpers import NOON, account, count_up, reading, stored, told

Send = Callable[..., dict[str, Any]]
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def rollups(step_s: int, metric: str = "TEMP") -> list[tuple[datetime, int, float, float, float]]:
    from croody.telemetry.models import Rollup

    return list(Rollup.objects.filter(step_s=step_s, metric=metric).order_by("at").values_list("at", "count", "mean", "low", "high"))


def test_partitions_are_there_before_midnight_and_twice_is_once(telemetry: str, vendor: str):
    from croody.telemetry import jobs
    from croody.telemetry.store import partitions

    jobs.make_partitions(NOON)
    jobs.make_partitions(NOON)
    wanted = [NOON.date() + timedelta(days=offset) for offset in (-1, 0, 1, 2)]
    assert partitions.present() == (wanted if vendor == "postgres" else [])


def test_a_partition_that_another_process_dropped_is_made_again(telemetry: str, vendor: str, send: Send):
    from croody.telemetry.store import partitions

    send(1, [reading(1.0, NOON)])
    if vendor == "postgres":
        known = partitions._known[telemetry].copy()
        partitions.drop_before(NOON.date() + DAY)
        partitions._known[telemetry] = known
    assert send(2, [reading(2.0, NOON)]) == {"stored": [(2, 2)], "dead": []}
    assert 2 in stored()


def test_readings_are_rolled_up_by_the_minute_and_the_hour(send: Send):
    from croody.telemetry import jobs

    send(1, [reading(value, NOON - MINUTE * 2 + timedelta(seconds=value)) for value in (10.0, 20.0, 30.0)])
    send(4, [reading(50.0, NOON - MINUTE), Reading(data={"TEMP": "text", "ON": True, "BIG": 1e200}, ts=NOON - MINUTE)])
    jobs.roll_up(NOON)
    assert rollups(60) == [(NOON - 2 * MINUTE, 3, 20.0, 10.0, 30.0), (NOON - MINUTE, 1, 50.0, 50.0, 50.0)]
    assert rollups(3600) == [(NOON - timedelta(hours=1), 4, 27.5, 10.0, 50.0)]
    assert rollups(60, "ON") == rollups(60, "BIG") == []
    before = rollups(60)
    jobs.roll_up(NOON)
    assert rollups(60) == before, "twice is once"


def test_what_comes_late_has_its_buckets_computed_again(send: Send):
    from croody.telemetry import jobs

    at = NOON - timedelta(days=3)
    send(5, [reading(10.0, at)])
    jobs.roll_up(NOON)
    send(1, [reading(30.0, at + timedelta(seconds=9))], historical=True)
    jobs.roll_up(NOON)
    assert rollups(60) == [(at, 2, 20.0, 10.0, 30.0)]
    assert rollups(3600) == [(at, 2, 20.0, 10.0, 30.0)]


def test_roll_ups_outlive_the_rows_and_are_made_before_the_rows_go(send: Send):
    from croody.telemetry import jobs

    send(1, [reading(10.0, NOON)])
    jobs.apply_retention(NOON + 32 * DAY)
    assert stored() == []
    assert rollups(60) == [(NOON, 1, 10.0, 10.0, 10.0)]


def test_what_is_too_old_goes_of_every_robot_and_is_found_by_an_index(send: Send, fleet: SimpleNamespace, vendor: str):
    from croody.telemetry import jobs
    from croody.telemetry.jobs.retention import old_of
    from croody.telemetry.models import Record

    for robot_id in ("rover-1", "rover-2"):
        send(1, [reading(1.0, NOON), reading(2.0, NOON + 20 * DAY)], robot_id=robot_id, now=NOON + 20 * DAY)
    jobs.apply_retention(NOON + 32 * DAY)
    assert list(Record.objects.order_by("robot_id").values_list("robot_id", "seq")) == [("rover-1", 2), ("rover-2", 2)]
    if vendor == "sqlite":
        assert "telemetry_record_robot_at (robot_id=? AND at<?)" in old_of("rover-1", NOON).values_list("pk").explain()


def folded() -> list[str]:
    from croody.telemetry.models import Stream

    return list(Stream.objects.exclude(folded_at=None).order_by("stream").values_list("stream", flat=True))


def test_finished_streams_are_folded_when_they_were_silent_for_a_minute_and_counted_on(send: Send, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.read import queries
    from croody.telemetry.read.delivery import Delivered, delivered

    send(1, count_up(1, 4))
    send(1, [Born(agent="1", prev="stream-a", prev_last=4), reading(9.0, NOON)], stream="stream-b", prev="stream-a", prev_last=4)
    jobs.fold_finished(NOON + timedelta(seconds=59))
    assert folded() == [], "something may be on its way"
    later = NOON + timedelta(seconds=61)
    jobs.fold_finished(later)
    jobs.fold_finished(later)
    assert folded() == ["stream-a"], "the newest one stays"
    assert [row["stream"] for row in queries.streams(["rover-1"])] == ["stream-a", "stream-b"], "who asks for one robot still sees it"
    assert [row["stream"] for row in queries.streams(["rover-1", "rover-2"])] == ["stream-b"]
    assert delivered(["rover-1"])["rover-1"] == Delivered(stored=6)
    assert send(1, count_up(1, 4), now=later) == {"stored": [(1, 4)], "dead": []}, "a late repeat is known"
    assert delivered(["rover-1"])["rover-1"] == Delivered(stored=6)
    jobs.fold_finished(later + MINUTE * 2)
    assert send(6, [reading(6.0)], now=later) == {"stored": [(6, 6)], "dead": []}, "something new takes it out again"
    assert folded() == []
    assert delivered(["rover-1"])["rover-1"] == Delivered(stored=7, missing=1, gaps=1)


def test_of_a_robot_that_starts_again_and_again_only_a_few_streams_stay_open_whatever_they_lack(send: Send, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.jobs.fold import MOST_OPEN
    from croody.telemetry.models import Stream
    from croody.telemetry.read.delivery import Delivered, delivered

    for number in range(1, MOST_OPEN + 6):
        send(2, [reading(float(number))], stream=f"stream-{number:02}")
    jobs.fold_finished(NOON)
    assert folded() == [f"stream-{number:02}" for number in range(1, 6)]
    assert delivered(["rover-1"])["rover-1"] == Delivered(stored=21, missing=21, gaps=21), "what they lack still counts"
    assert Stream.objects.filter(missing_since__isnull=False).count() == 21, "and is still asked for"
    send(1, [reading(0.0)], stream="stream-01", historical=True)
    assert "stream-01" not in folded()
    assert delivered(["rover-1"])["rover-1"] == Delivered(stored=22, missing=20, gaps=20)


def test_a_stream_that_lacks_something_is_not_folded_for_being_silent(send: Send):
    from croody.telemetry import jobs

    send(2, count_up(1, 4)[1:])
    send(1, [Born(agent="1", prev="stream-a", prev_last=4)], stream="stream-b", prev="stream-a", prev_last=4)
    jobs.fold_finished(NOON + 31 * DAY)
    assert folded() == []


def test_folded_streams_keep_their_place_among_those_that_speak_late(send: Send, fleet: SimpleNamespace):
    """A backlog of the middle of a chain, with both its neighbours folded: every order of streams that is shown stays true."""
    from croody.telemetry import jobs
    from croody.telemetry.models import Stream
    from croody.telemetry.read import queries

    def chain(name: str, before: str | None, value: float, **head: Any) -> None:
        last = 2 if before else None
        send(1, [Born(agent="1", prev=before, prev_last=last), reading(value)], stream=name, prev=before, prev_last=last, **head)

    chain("stream-a", None, 1.0)
    chain("stream-b", "stream-a", 2.0)
    chain("stream-d", "stream-c", 4.0)
    jobs.fold_finished(NOON + MINUTE * 2)
    assert folded() == ["stream-a", "stream-b"]
    chain("stream-c", "stream-b", 3.0, historical=True)
    chain("stream-e", "stream-d", 5.0)
    places = Stream.objects.filter(robot_id="rover-1").order_by("place").values_list("stream", flat=True)
    assert list(places) == ["stream-a", "stream-b", "stream-c", "stream-d", "stream-e"]
    values = [told(row)["data"]["TEMP"] for row in queries.query(["rover-1"], 9).rows]
    assert values == [5.0, 4.0, 3.0, 2.0, 1.0]


def test_a_gap_is_asked_for_then_an_alarm_and_resolved_when_it_is_closed(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.commands.models import Outgoing
    from croody.telemetry import jobs

    readings = count_up(1, 9)
    send(1, readings[:2])
    send(6, readings[5:])
    jobs.request_gaps(NOON + timedelta(seconds=2))
    assert not Outgoing.objects.exists(), "what is on its way is not asked for"
    jobs.request_gaps(NOON + timedelta(seconds=6))
    jobs.request_gaps(NOON + timedelta(seconds=7))
    asked = Outgoing.objects.get()
    assert (asked.kind, asked.payload) == ("resend", {"stream": "stream-a", "ranges": [[3, 5]]})
    assert not Alarm.objects.exists()
    for second in (61, 62, 63):
        jobs.request_gaps(NOON + timedelta(seconds=second))
    alarm = Alarm.objects.get()
    assert (alarm.robot_id, alarm.kind, alarm.key, alarm.detail["missing"], alarm.count) == ("rover-1", "gap", "stream-a", 3, 1)
    send(3, readings[2:5], now=NOON + timedelta(seconds=70))
    jobs.request_gaps(NOON + timedelta(seconds=71))
    assert Alarm.objects.get().resolved_at == NOON + timedelta(seconds=71)
    assert Outgoing.objects.count() == 1


@pytest.fixture
def taken(send: Send, fleet: SimpleNamespace) -> Callable[[float], int]:
    """A gap was asked for at second 6 and the robot said `received` at 7; gives how many requests there are at a later second."""
    from croody.commands.models import Outgoing
    from croody.commands.services import answer, claim_due
    from croody.telemetry import jobs
    from croody_contract.messages import Answer

    readings = count_up(1, 9)
    send(1, readings[:2])
    send(6, readings[5:])
    jobs.request_gaps(NOON + timedelta(seconds=6))
    [due] = claim_due(NOON + timedelta(seconds=6))
    assert answer("rover-1", due.outgoing.id, Answer("received"), now=NOON + timedelta(seconds=7))

    def requests_at(second: float) -> int:
        jobs.request_gaps(NOON + timedelta(seconds=second))
        return Outgoing.objects.count()

    return requests_at


def test_what_a_robot_took_and_forgot_by_starting_again_is_asked_for_again(send: Send, taken: Callable[[float], int]):
    assert taken(9) == 1
    send(
        1,
        [Born(agent="1", prev="stream-a", prev_last=9)],
        stream="stream-b",
        prev="stream-a",
        prev_last=9,
        now=NOON + timedelta(seconds=10),
    )
    assert taken(11) == 2
    assert taken(12) == 2, "once for one start"


def test_what_a_robot_took_and_never_did_is_asked_for_again_after_a_minute(send: Send, taken: Callable[[float], int]):
    send(10, count_up(1, 10)[9:], now=NOON + timedelta(seconds=60))
    assert taken(60) == 1
    assert taken(67) == 2
    assert taken(68) == 2


def test_what_a_robot_took_and_is_still_doing_is_not_asked_for_again(send: Send, taken: Callable[[float], int]):
    send(3, count_up(1, 9)[2:3], now=NOON + timedelta(seconds=60))
    assert taken(100) == 1
    assert taken(121) == 2


def test_a_robot_that_is_not_there_is_not_asked_but_its_gap_is_an_alarm(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.commands.models import Outgoing
    from croody.telemetry import jobs

    send(3, count_up(1, 3)[2:])
    jobs.request_gaps(NOON + timedelta(minutes=10))
    assert not Outgoing.objects.exists()
    assert Alarm.objects.get().kind == "gap"


def test_a_drain_that_goes_on_is_no_gap(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    readings = count_up(1, 20)
    send(20, readings[19:])
    for number in range(1, 15):
        now = NOON + timedelta(seconds=40 * number)
        send(number, readings[number - 1 : number], now=now, historical=True)
        jobs.request_gaps(now)
    assert account()["missing_since"] is not None
    assert not Alarm.objects.exists()


def test_events_that_matter_are_alarms_once(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    send(
        1,
        [
            Event(code="outbox_corrupt", severity="high", detail={"lost_at_most": 7}),
            Event(code="started"),
            Event(code="screening_stopped", severity="medium", detail={"reason": "model_damaged"}),
            Event(code="fire", severity="critical"),
        ],
    )
    jobs.raise_alarms(NOON)
    jobs.raise_alarms(NOON)
    found = {alarm.kind: (alarm.severity, alarm.count) for alarm in Alarm.objects.all()}
    assert found == {"outbox_corrupt": ("high", 1), "screening_stopped": ("medium", 1), "fire": ("critical", 1)}
    assert Alarm.objects.get(kind="outbox_corrupt").detail["lost_at_most"] == 7
    send(5, [Event(code="screening_started")])
    jobs.raise_alarms(NOON + MINUTE)
    assert Alarm.objects.get(kind="screening_stopped").resolved_at == NOON + MINUTE


@pytest.mark.parametrize("reason", ["readings_too_slow", "sensors_unknown"])
def test_a_robot_that_is_slow_or_has_other_sensors_is_a_note_and_no_alarm(send: Send, fleet: SimpleNamespace, reason: str):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    send(1, [Event(code="screening_stopped", severity="low", detail={"reason": reason})])
    jobs.raise_alarms(NOON)
    assert not Alarm.objects.exists()


def test_an_event_that_says_over_ends_the_alarm_of_its_code_and_is_none_itself(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    send(1, [Event(code="bumper_hit", severity="medium", detail={"side": "left"}), Event(code="fire", severity="critical")])
    jobs.raise_alarms(NOON)
    send(3, [Event(code="bumper_hit", severity="medium", over=True), Event(code="never_began", severity="high", over=True)])
    jobs.raise_alarms(NOON + MINUTE)
    assert set(Alarm.objects.values_list("kind", "resolved_at")) == {("bumper_hit", NOON + MINUTE), ("fire", None)}


def test_a_robot_cannot_speak_with_the_words_of_the_cloud(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    send(1, [Event(code=code, severity="high") for code in ("offline", "gap", "anomaly", "conflict")])
    jobs.raise_alarms(NOON)
    found = set(Alarm.objects.values_list("kind", flat=True))
    assert found == {"robot_offline", "robot_gap", "robot_anomaly", "robot_conflict"}


def test_what_a_revoked_robot_took_with_it_is_nobodys_alarm(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.fleet import services
    from croody.fleet.models import Robot
    from croody.telemetry import jobs

    send(5, count_up(5, 6))
    jobs.request_gaps(NOON + 2 * MINUTE)
    assert Alarm.objects.get().resolved_at is None
    services.revoke(Robot.objects.get(pk="rover-1"), now=NOON + 3 * MINUTE)
    jobs.request_gaps(NOON + 4 * MINUTE)
    assert Alarm.objects.get().resolved_at == NOON + 3 * MINUTE


def test_old_letters_go_with_retention(send: Send, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.models import DeadLetter

    send(1, [b"[]"])
    send(2, [b"[]"], now=NOON + 20 * DAY)
    jobs.apply_retention(NOON + 32 * DAY)
    assert list(DeadLetter.objects.values_list("first", flat=True)) == [2]
    assert account()["dead"] == ((1, 2),), "the ledger remembers"


def test_after_many_streams_were_folded_at_once_the_open_ones_are_found_by_the_index(fleet: SimpleNamespace, telemetry: str):
    """PostgreSQL goes by what it counted while nearly all of them were open."""
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    from croody.telemetry import jobs
    from croody.telemetry.models import Stream
    from croody.telemetry.read.heard import heard_at_of

    old = NOON - timedelta(days=1)
    Stream.objects.bulk_create(
        Stream(robot_id=robot_id, stream=f"start-{number:05}", place=number, first_received_at=old, last_received_at=old)
        for robot_id in ("rover-1", "rover-2")
        for number in range(1500)
    )
    connection = connections[telemetry]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE telemetry_stream")
    jobs.fold_finished(NOON)
    with CaptureQueriesContext(connection) as captured:
        assert set(heard_at_of(["rover-1", "rover-2"])) == {"rover-1", "rover-2"}
    statement = next(one["sql"] for one in captured if 'telemetry_stream"' in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {statement}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert "ledger_open" in plan, plan
    assert "Seq Scan" not in plan, plan


def test_an_alarm_keeps_as_much_of_an_events_detail_as_it_tells(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    detail = {f"name_{number:02}": "x" * 1000 for number in range(60)}
    send(1, [Event(code="gripper_jammed", severity="high", detail=detail)])
    jobs.raise_alarms(NOON)
    kept = Alarm.objects.get(kind="gripper_jammed").detail
    assert len(msgspec.json.encode(kept)) < 4096
    assert kept["name_00"] == "x" * 200
    assert kept["seq"] == 1


def test_an_answer_lists_so_many_ranges_of_a_stream_and_says_how_many_came_before(send: Send, fleet: SimpleNamespace):
    from croody.telemetry.models import Stream
    from croody.telemetry.read import queries

    send(1, count_up(1, 2))
    holes = tuple((seq, seq) for seq in range(10, 5_000, 2))
    Stream.objects.filter(robot_id="rover-1").update(dropped=holes, known_last=5_000)
    (row,) = queries.streams_told(["rover-1"])
    assert (len(row["dropped"]), row["dropped"][-1], row["dropped_before"]) == (1000, holes[-1], len(holes) - 1000)
    assert (len(row["missing"]), row["missing_before"]) == (1000, len(holes) + 1 - 1000)
    assert len(msgspec.json.encode(row)) < 32_000


def test_sums_are_read_without_the_sets_and_an_earlier_versions_rows_are_counted_anew(send: Send, fleet: SimpleNamespace):
    from croody.telemetry.models import Stream
    from croody.telemetry.read.delivery import Delivered, delivered

    send(1, count_up(1, 3))
    send(6, count_up(6, 6))
    send(8, [Tombstone("stream-a", [(4, 4)], "thinned")])
    row = Stream.objects.get(robot_id="rover-1", stream="stream-a")
    counted = (row.stored, row.dead_count, row.dropped_count, row.missing_count, row.gaps)
    assert counted == (5, 0, 1, 2, 2)
    assert delivered(["rover-1"])["rover-1"] == Delivered(*counted)
    Stream.objects.filter(pk=row.pk).update(have=((1, 999_999),))
    assert delivered(["rover-1"])["rover-1"] == Delivered(*counted), "no set is read where the sums are as of its last change"
    Stream.objects.filter(pk=row.pk).update(have=((1, 4), (6, 6), (8, 8)), dropped=(), last_received_at=NOON + MINUTE)
    assert delivered(["rover-1"])["rover-1"] == Delivered(6, 0, 0, 2, 2)
