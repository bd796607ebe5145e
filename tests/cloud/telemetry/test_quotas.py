"""What one robot may name and send: what is beyond is held back or refused with its reason, and costs the others nothing."""

import dataclasses
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from croody.telemetry.ingest.usage import Work
from croody_contract import ranges
from croody_contract.messages import Born, Event, Tombstone
from croody_contract.relay import Relay
from tests.cloud.telemetry.helpers import NOON, account, batch, reading, stored


@pytest.fixture
def quotas(telemetry: str, settings: Any):
    """Choose some; the account begins anew."""
    from croody.telemetry.ingest import services

    def choose(**some: int) -> None:
        settings.ENV = dataclasses.replace(settings.ENV, quotas=dataclasses.replace(settings.ENV.quotas, **some))
        services.account_of.cache_clear()

    yield choose
    services.account_of.cache_clear()


def relayed(*relays: Relay, now: Any = NOON) -> dict[tuple[str, str], tuple[Any, Any]]:
    from croody.telemetry.ingest import services

    one = Relay(batches=[item for relay in relays for item in relay.batches])
    return {(each.robot_id, each.ack.stream): (each.ack.stored, each.ack.dead) for each in services.ingest_relay(one, now=now).acks}


def letters(robot_id: str = "rover-1", reason: str = "quota") -> list[Any]:
    from croody.telemetry.models import DeadLetter

    return list(DeadLetter.objects.filter(robot_id=robot_id, reason=reason).order_by("pk"))


def names() -> int:
    from croody.telemetry.models import Stream

    return Stream.objects.filter(robot_id="rover-1").count()


def test_a_request_speaks_of_so_many_streams_of_one_robot_and_the_rest_of_its_batch_is_held_back(fleet: SimpleNamespace):
    from croody.telemetry.ingest.usage import MOST_NAMES

    stones = [Tombstone(f"nobodys-{number:05}", [(1, 9)], "thinned") for number in range(500)]

    acks = relayed(batch("rover-1", "stream-a", 1, stones), batch("rover-2", "stream-b", 1, [reading()]))

    assert acks[("rover-2", "stream-b")] == ([(1, 1)], [])
    assert acks[("rover-1", "stream-a")] == ([(1, MOST_NAMES - 1)], [])
    assert names() == MOST_NAMES
    assert [letter.count for letter in letters()] == [1]
    assert "held back, not lost" in letters()[0].detail


def test_what_was_held_back_is_stored_when_it_comes_again(fleet: SimpleNamespace):
    stones = [Tombstone(f"nobodys-{number:05}", [(1, 9)], "thinned") for number in range(150)]
    done = 0
    for _ in range(4):
        acks = relayed(batch("rover-1", "stream-a", done + 1, stones[done:]))
        done = ranges.last(tuple(acks.get(("rover-1", "stream-a"), ([(done, done)], []))[0]))
    assert done == 150
    assert stored() == list(range(1, 151))
    assert account()["missing_since"] is None


def test_beyond_its_share_a_robot_is_held_back_and_no_other(fleet: SimpleNamespace, quotas: Any):
    from croody.telemetry.ingest import services

    quotas(work=10)
    assert relayed(batch("rover-1", "stream-a", 1, [reading()] * 200))[("rover-1", "stream-a")] == ([(1, 200)], [])

    acks = relayed(batch("rover-1", "stream-a", 201, [reading()]), batch("rover-2", "stream-b", 1, [reading()]))

    assert acks == {("rover-2", "stream-b"): ([(1, 1)], [])}
    assert services.ingest_relay(batch("rover-1", "stream-a", 201, [reading()]), now=NOON).over == ["rover-1"]
    assert stored() == list(range(1, 201))
    assert len(letters()) == 1
    assert letters("rover-2") == []


def test_streams_beyond_those_of_a_day_are_dead_letters_and_acknowledged_so_that_their_robot_lets_go_of_them(
    fleet: SimpleNamespace, quotas: Any
):
    quotas(streams=20)
    kept = dead = 0
    for number in range(30):
        stream, before = f"start-{number:04}", f"start-{number - 1:04}"
        records = [Born("agent", prev=before, prev_last=2) if number else Born("agent"), reading(float(number))]
        acks = relayed(batch("rover-1", stream, 1, records))
        assert acks[("rover-1", stream)] in (([(1, 2)], []), ([], [(1, 2)]))
        kept += bool(acks[("rover-1", stream)][0])
        dead += bool(acks[("rover-1", stream)][1])

    assert (kept, dead) == (20, 10)
    assert names() == 20
    assert [(letter.stream, letter.first, letter.last) for letter in letters()] == [
        (f"start-{number:04}", 1, 2) for number in range(20, 30)
    ]
    assert b"reading" in bytes(letters()[0].body)
    # What was open before goes on, and what comes again is answered the same.
    assert relayed(batch("rover-1", "start-0019", 3, [reading()])) == {("rover-1", "start-0019"): ([(3, 3)], [])}
    assert relayed(batch("rover-1", "start-0029", 1, [Born("agent"), reading(29.0)])) == {("rover-1", "start-0029"): ([], [(1, 2)])}


def test_every_process_counts_the_streams_that_a_robot_opened_with_any_of_them(fleet: SimpleNamespace, quotas: Any):
    from croody.telemetry.ingest import services

    quotas(streams=10)
    kept = 0
    for number in range(20):
        # Another process, or this one started anew, knows nothing but what the database says.
        services.account_of.cache_clear()
        acks = relayed(batch("rover-1", f"start-{number:04}", 1, [Born("agent"), reading()]))
        kept += acks[("rover-1", f"start-{number:04}")][0] == [(1, 2)]
    assert kept == 10
    # They come back evenly over a day.
    services.account_of.cache_clear()
    later = NOON + timedelta(hours=12)
    found = [relayed(batch("rover-1", f"later-{number:04}", 1, [reading()]), now=later) for number in range(8)]
    assert sum([(1, 1)] in (stored_now for stored_now, _ in acks.values()) for acks in found) == 5
    assert names() == 15


def test_the_count_of_streams_is_written_when_one_is_opened_and_by_no_reading(fleet: SimpleNamespace, telemetry: str):
    from croody.telemetry.jobs.retention import forget_deliveries
    from croody.telemetry.models import Usage

    relayed(batch("rover-1", "stream-a", 1, [reading()]))
    before = list(Usage.objects.values())
    assert [(row["robot_id"], row["streams"]) for row in before] == [("rover-1", 1.0)]
    with CaptureQueriesContext(connections[telemetry]) as asked:
        relayed(batch("rover-1", "stream-a", 2, [reading()]), now=NOON + timedelta(minutes=1))
    assert list(Usage.objects.values()) == before
    assert not [query for query in asked.captured_queries if "telemetry_usage" in query["sql"]]
    # One row a robot, and none of who opened nothing since yesterday.
    forget_deliveries(NOON + timedelta(hours=23))
    assert Usage.objects.count() == 1
    forget_deliveries(NOON + timedelta(hours=25))
    assert Usage.objects.count() == 0


def test_a_tombstone_for_a_stream_beyond_those_of_a_day_is_refused_alone(fleet: SimpleNamespace, quotas: Any):
    quotas(streams=3)
    records = [reading(), *(Tombstone(f"nobodys-{number:05}", [(1, 9)], "thinned") for number in range(5)), reading()]

    acks = relayed(batch("rover-1", "stream-a", 1, records))

    ((stored_now, dead),) = acks.values()
    assert ranges.count(tuple(stored_now)) == 4
    assert ranges.count(tuple(dead)) == 3
    assert names() == 3
    assert {letter.reason for letter in letters()} == {"quota"}


def test_a_ledger_row_that_is_too_long_takes_no_more_and_says_so(fleet: SimpleNamespace, quotas: Any):
    quotas(ranges=50)
    holes = [reading(float(seq)) if seq % 2 else b'{"kind":"reading","data":{"a":null}}' for seq in range(1, 101)]
    relayed(batch("rover-1", "stream-a", 1, holes))
    before = account()

    acks = relayed(batch("rover-1", "stream-a", 99, [reading(99.0), reading(), reading()]), batch("rover-1", "stream-b", 1, [reading()]))

    assert acks == {("rover-1", "stream-a"): ([(99, 99)], [(100, 101)]), ("rover-1", "stream-b"): ([(1, 1)], [])}
    assert account() == before
    stone = Tombstone("stream-a", [(1000, 1000)], "thinned")
    assert relayed(batch("rover-1", "stream-b", 2, [stone, reading()])) == {("rover-1", "stream-b"): ([(3, 3)], [(2, 2)])}
    assert account() == before


def test_many_tombstones_of_one_stream_are_worked_into_its_row_at_once(fleet: SimpleNamespace):
    stones = [Tombstone("stream-b", [(seq, seq) for seq in range(at, at + 200, 2)], "thinned") for at in range(1, 20_001, 200)]
    relayed(batch("rover-1", "stream-a", 1, stones))
    assert account(stream="stream-b")["dropped"] == tuple((seq, seq) for seq in range(1, 20_001, 2))


def test_what_a_long_row_costs_is_paid_by_its_robot(fleet: SimpleNamespace, quotas: Any):
    quotas(work=20)
    stones = [Tombstone("stream-b", [(seq, seq) for seq in range(at, at + 1000, 2)], "thinned") for at in range(1, 20_001, 1000)]
    relayed(batch("rover-1", "stream-a", 1, stones))

    assert relayed(batch("rover-1", "stream-a", 21, [reading()])) == {}


def long_row(length: int) -> None:
    """Stream-a of rover-1 as a drain with so many holes leaves it."""
    from croody.telemetry.models import Stream

    relayed(batch("rover-1", "stream-a", 1, [reading()]))
    dropped = tuple((2 * number, 2 * number) for number in range(1, length + 1))
    Stream.objects.filter(robot_id="rover-1", stream="stream-a").update(dropped=dropped, known_last=2 * length)


def test_a_row_of_more_ranges_than_a_request_has_work_is_drained_by_full_requests(fleet: SimpleNamespace, quotas: Any):
    quotas(work=10**6)
    long_row(30_000)
    done = 1
    for _ in range(3):
        # What the row costs is known from the second time on, and is paid once a request.
        acks = relayed(batch("rover-1", "stream-a", 100_000 + done, [reading()] * 500))
        assert acks == {("rover-1", "stream-a"): ([(100_000 + done, 100_499 + done)], [])}
        done += 500
    assert len(stored()) == 1501
    assert len(account()["dropped"]) == 30_000


def test_a_long_row_leaves_no_room_for_the_other_streams_of_its_robot_in_the_same_request(fleet: SimpleNamespace, quotas: Any):
    quotas(work=10**6)
    long_row(30_000)
    relayed(batch("rover-1", "stream-a", 100_000, [reading()]))
    both = batch("rover-1", "stream-a", 100_001, [reading()]), batch("rover-1", "stream-b", 1, [reading()])
    assert set(relayed(*both)) == {("rover-1", "stream-a")}
    assert set(relayed(both[1], batch("rover-2", "stream-c", 1, [reading()]))) == {("rover-1", "stream-b"), ("rover-2", "stream-c")}


def test_what_of_a_long_row_did_not_change_is_kept_as_it_was(fleet: SimpleNamespace):
    from croody.telemetry.models import Stream

    long_row(5000)
    relayed(batch("rover-1", "stream-a", 20_000, [reading(), b'{"kind":"reading","data":{"a":null}}', reading()]))
    row = Stream.objects.get(robot_id="rover-1", stream="stream-a")
    assert row.have == ((1, 1), (20_000, 20_000), (20_002, 20_002))
    assert row.dead == ((20_001, 20_001),)
    assert row.dropped == tuple((2 * number, 2 * number) for number in range(1, 5001))
    relayed(batch("rover-1", "stream-a", 2, [reading(), reading()]))
    assert account()["dropped"] == row.dropped[1:]
    assert account()["have"] == ((1, 3), (20_000, 20_000), (20_002, 20_002))


@pytest.mark.parametrize("restarts", [300])
def test_a_robot_that_starts_again_and_again_loses_nothing(fleet: SimpleNamespace, restarts: int):
    open_ = {f"start-{number:04}": number for number in range(restarts)}
    for _ in range(20):
        if not open_:
            break
        wanted = [
            batch("rover-1", stream, 1, [Born("a", prev=f"start-{number - 1:04}", prev_last=2) if number else Born("a"), reading()])
            for stream, number in sorted(open_.items())
        ]
        for (_, stream), (stored_now, _) in relayed(*wanted).items():
            assert stored_now == [(1, 2)]
            del open_[stream]
    assert open_ == {}
    assert sum(len(stored(stream=f"start-{number:04}")) for number in range(restarts)) == 2 * restarts


def test_an_account_forgets_what_a_robot_used_in_time(telemetry: str):
    from croody.telemetry.ingest.usage import Bucket

    bucket = Bucket(10, 100)
    bucket.take("rover-1", 150, 1000.0)
    assert bucket.left("rover-1", 1000.0) == pytest.approx(-50)
    assert bucket.left("rover-1", 1005.0) == pytest.approx(0)
    assert bucket.left("rover-1", 1100.0) == pytest.approx(100)
    assert bucket.left("rover-2", 1000.0) == pytest.approx(100)


def events(first: int, codes: list[str], **more: Any) -> Relay:
    return batch("rover-1", "stream-e", first, [Event(code, severity="critical", **more) for code in codes])


def test_ten_thousand_words_of_one_robot_leave_the_others_alarms_where_they_are(fleet: SimpleNamespace, settings: Any):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    for first in range(1, 2001, 500):
        relayed(events(first, [f"word_{number}" for number in range(first, first + 500)]))
    relayed(batch("rover-2", "stream-b", 1, [Event("bumper_hit", severity="medium")]))

    jobs.raise_alarms(NOON)

    assert Alarm.objects.filter(robot_id="rover-2", kind="bumper_hit", resolved_at=None).count() == 1
    mine = Alarm.objects.filter(robot_id="rover-1", resolved_at=None)
    assert mine.count() == settings.ENV.quotas.alarms + 1
    assert mine.filter(kind="quota").count() == 1


def test_what_a_robot_says_a_thousand_times_is_counted_and_written_once(fleet: SimpleNamespace, django_assert_max_num_queries: Any):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    for first in (1, 501):
        relayed(events(first, ["bumper_hit"] * 500))
    with django_assert_max_num_queries(60, using="default"):
        jobs.raise_alarms(NOON)
    assert Alarm.objects.get(robot_id="rover-1").count == 1000


def test_alarms_that_come_and_go_in_one_page_are_told_a_few_times_and_then_as_they_end(fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    both = [Event("bumper_hit", severity="high"), Event("bumper_hit", over=True)]
    relayed(batch("rover-1", "stream-e", 1, both * 200))
    jobs.raise_alarms(NOON)
    assert Alarm.objects.filter(robot_id="rover-1", resolved_at=None).count() == 0
    assert 1 < Alarm.objects.filter(robot_id="rover-1").count() <= 20


def test_who_is_held_back_or_refused_has_one_alarm(fleet: SimpleNamespace, quotas: Any):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs

    quotas(streams=2)
    for number in range(10):
        relayed(batch("rover-1", f"start-{number:04}", 1, [reading()]))
        jobs.raise_alarms(NOON)
    assert [(alarm.robot_id, alarm.kind, alarm.key) for alarm in Alarm.objects.all()] == [("rover-1", "quota", "")]


def test_metrics_beyond_the_quota_are_stored_and_not_rolled_up(fleet: SimpleNamespace, quotas: Any):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs
    from croody.telemetry.jobs import rollups
    from croody.telemetry.models import Record, Rollup, SetAside
    from croody_contract.messages import Reading

    quotas(metrics=10)
    rollups.metric_names.cache_clear()
    readings = [Reading(data={f"metric_{number}_{each}": 1.0 for each in range(20)}) for number in range(5)]
    relayed(batch("rover-1", "stream-a", 1, readings), batch("rover-2", "stream-b", 1, [reading()]))
    for _ in range(2):
        jobs.roll_up(NOON)
        rollups.metric_names.cache_clear()
        relayed(batch("rover-1", "stream-a", 6, [Reading(data={"another": 1.0})]))

    assert Rollup.objects.filter(robot_id="rover-1", step_s=60).values("metric").distinct().count() == 10
    assert Rollup.objects.filter(robot_id="rover-2", step_s=60).count() == 1
    assert Record.objects.filter(robot_id="rover-1").count() == 6
    assert SetAside.objects.filter(robot_id="rover-1").count() == 1
    assert Alarm.objects.get().kind == "quota"


def test_no_robot_hides_what_was_left_out_of_another(fleet: SimpleNamespace):
    from croody.telemetry.jobs import aside
    from croody.telemetry.models import SetAside

    for number in range(aside.MOST + 20):
        aside.set_aside("score_windows", "rover-1", f"window {number}", "no", NOON)
    aside.set_aside("score_windows", "rover-2", "window 1", "no", NOON)
    assert SetAside.objects.filter(robot_id="rover-1").count() == aside.MOST
    assert SetAside.objects.filter(robot_id="rover-2").count() == 1


def test_a_thousand_letters_that_come_again_take_a_few_questions(
    fleet: SimpleNamespace, telemetry: str, django_assert_max_num_queries: Any
):
    bad = [b'{"kind":"reading","data":{"a":null,"n":%d}}' % number for number in range(300)]
    relayed(batch("rover-1", "stream-a", 1, bad))
    with django_assert_max_num_queries(40, using=telemetry):
        relayed(batch("rover-1", "stream-a", 1, bad))
    assert {letter.count for letter in letters(reason="bad_value")} == {2}


def test_parts_of_a_request_that_are_booked_one_by_one_cost_what_all_of_them_cost():
    whole = Work()
    for key, amount in ((("amr-01", "a"), 30.0), (("amr-01", "b"), 5.0), (("amr-02", "c"), 1.0)):
        part = Work(opened={key[0]: 1}, weights={key: 7})
        part.add(key[0], amount)
        whole.take_in(part)
    assert whole.spent == {"amr-01": 35.0, "amr-02": 1.0}
    assert whole.opened == {"amr-01": 2, "amr-02": 1}
    assert len(whole.weights) == 3
