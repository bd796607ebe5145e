"""Screened windows, through the real ingest, to verdicts and alarms. Runs on SQLite and on PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from django.db import connections, transaction
from django.utils import timezone

from croody.alarms.models import Alarm
from croody.detection.models import Cursor, Usual, Verdict
from croody.detection.windows import baseline, jobs, queries, suspicion
from croody.fleet.models import Robot
from croody.telemetry.ingest.services import account_of, ingest_relay
from croody.telemetry.models import Record, SetAside
from croody_contract import messages
from croody_contract.messages import Window
from croody_contract.relay import BatchItem, Relay

pytestmark = pytest.mark.django_db(databases="__all__")
NAMES = ["temp_c", "current_a"]
NOW = timezone.now().astimezone(UTC).replace(microsecond=0)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def window(
    seed: int, *, suspect: bool = False, score: float = 0.1, hotter: float = 0.0, ts: datetime = NOW, names: Sequence[str] = NAMES
) -> Window:
    random = np.random.default_rng(seed)
    level = np.array([30.0 + hotter, 2.0]) + random.normal(0, [1.0, 0.1])
    features = (level + random.normal(0, [0.3, 0.05], size=(16, 2))).round(4).tolist()
    return Window("sensors-1", score, suspect, list(names), features, ts, sampled=not suspect)


def send(windows: Sequence[Window], *, first: int = 1, robot_id: str = "rover-1", now: datetime = NOW) -> None:
    records = [msgspec.Raw(messages.encode(item)) for item in windows]
    # What a robot may send at once is the quotas' business.
    account_of.cache_clear()
    done = ingest_relay(Relay(batches=[BatchItem(robot_id, "stream-0001", first, records)]), now=now)
    assert [ack.ack.stored for ack in done.acks] == [[(first, first + len(windows) - 1)]], done


def verdicts(robot_id: str = "rover-1") -> list[Verdict]:
    return list(Verdict.objects.filter(robot_id=robot_id).order_by("seq"))


def open_alarms() -> list[str]:
    return list(Alarm.objects.filter(kind="anomaly", resolved_at=None).values_list("robot_id", flat=True))


def test_every_window_gets_one_verdict_however_often_the_job_runs(people: SimpleNamespace):
    send([window(1), window(2, suspect=True, score=0.7)])
    for second in (1, 2, 90, 91):
        jobs.score_windows(after(second))
    first, second_verdict = verdicts()
    assert (first.suspect, first.sampled, first.confirmed, first.basis) == (False, True, False, "edge")
    assert (second_verdict.suspect, second_verdict.edge_score, second_verdict.confirmed) == (True, 0.7, True)
    assert (second_verdict.at, second_verdict.judged_at, second_verdict.edge_model) == (NOW, after(1), "sensors-1")
    assert Usual.objects.get().summaries == [baseline.summarise(window(1).features)]


def test_the_cursor_waits_until_ids_have_settled_and_then_moves(people: SimpleNamespace):
    send([window(1)])
    jobs.score_windows(after(1))
    assert not Cursor.objects.exists()
    jobs.score_windows(after(89))
    assert not Cursor.objects.exists(), "an ingest may still commit what lies before"
    jobs.score_windows(after(91))
    assert Cursor.objects.get().last_id == Record.objects.get(kind="window").id


def test_a_window_whose_transaction_came_late_is_judged_too(people: SimpleNamespace):
    """Its id was given before that of a window that the job has read already."""
    send([window(1)])
    send([window(2)], first=2, now=after(2))
    late = Record.objects.get(seq=1)
    kept = {field.attname: getattr(late, field.attname) for field in Record._meta.concrete_fields}
    Record.objects.filter(seq=1, robot_id="rover-1").delete()
    jobs.score_windows(after(3))
    assert [verdict.seq for verdict in verdicts()] == [2]
    Record.objects.create(**kept)
    jobs.score_windows(after(4))
    assert [verdict.seq for verdict in verdicts()] == [1, 2]


def test_windows_are_judged_against_the_robots_own_usual_and_the_sensor_is_named(people: SimpleNamespace):
    send([window(seed) for seed in range(40)])
    jobs.score_windows(after(1))
    send([window(99, suspect=True, score=0.6, hotter=20), window(100, suspect=True, score=0.6)], first=41)
    jobs.score_windows(after(2))
    hot, ordinary = verdicts()[-2:]
    assert (hot.basis, hot.confirmed, ordinary.confirmed) == ("baseline", True, False)
    assert hot.deviation > suspicion.UNUSUAL >= ordinary.deviation
    assert hot.drivers["temp_c"] > 0.9
    assert len(Usual.objects.get().summaries) == 40


def test_a_new_robot_is_judged_against_the_fleet_until_it_has_a_usual_of_its_own(people: SimpleNamespace):
    send([window(seed) for seed in range(30)])
    jobs.score_windows(after(1))
    send([window(200, suspect=True, score=0.6, hotter=20)], robot_id="shared-1")
    jobs.score_windows(after(2))
    (verdict,) = verdicts("shared-1")
    assert (verdict.basis, verdict.confirmed) == ("fleet", True)


def test_a_few_windows_can_name_the_sensor_and_not_yet_say_what_is_unusual(people: SimpleNamespace):
    send([window(seed) for seed in range(baseline.LEAST_TO_NAME)])
    jobs.score_windows(after(1))
    send([window(200, suspect=True, score=0.6, hotter=20)], first=baseline.LEAST_TO_NAME + 1)
    jobs.score_windows(after(2))
    hot = verdicts()[-1]
    assert (hot.basis, hot.deviation, hot.confirmed) == ("edge", None, True)
    assert hot.drivers["temp_c"] > 0.9


def test_the_usual_forgets_its_oldest_windows_and_begins_anew_with_other_sensors(people: SimpleNamespace):
    send([window(seed) for seed in range(baseline.MOST + 5)])
    jobs.score_windows(after(1))
    assert Usual.objects.get().summaries[0] == baseline.summarise(window(5).features)
    send([window(1, names=["temp_c", "pressure_hpa"])], first=baseline.MOST + 6)
    jobs.score_windows(after(2))
    row = Usual.objects.get()
    assert (row.names, len(row.summaries)) == (["temp_c", "pressure_hpa"], 1)


def test_one_or_two_suspect_windows_disturb_nobody_and_the_third_opens_one_alarm(people: SimpleNamespace):
    for index in range(3):
        assert open_alarms() == []
        send([window(index, suspect=True, score=0.7, ts=after(30 * index))], first=index + 1, now=after(30 * index))
        jobs.score_windows(after(30 * index + 1))
    assert open_alarms() == ["rover-1"]
    alarm = Alarm.objects.get()
    assert (alarm.severity, alarm.count, alarm.detail["windows"]) == ("medium", 1, 3)
    jobs.score_windows(after(70))
    assert Alarm.objects.get().count == 1, "no new evidence, no new count"


def test_further_evidence_keeps_the_alarm_and_quiet_resolves_it(people: SimpleNamespace):
    send([window(index, suspect=True, score=0.7) for index in range(3)])
    jobs.score_windows(after(1))
    send([window(9, suspect=True, score=0.7, ts=after(500))], first=4, now=after(500))
    jobs.score_windows(after(501))
    assert Alarm.objects.get().count == 2, "an open alarm is kept alive by a single window"
    jobs.score_windows(after(501 + 599))
    assert open_alarms() == ["rover-1"]
    jobs.score_windows(after(501 + 601))
    assert open_alarms() == []


def test_suspect_windows_that_the_usual_explains_are_no_evidence(people: SimpleNamespace):
    send([window(seed) for seed in range(40)])
    jobs.score_windows(after(1))
    send([window(seed, suspect=True, score=0.6) for seed in range(300, 306)], first=41)
    jobs.score_windows(after(2))
    assert [verdict.confirmed for verdict in verdicts()[40:]] == [False] * 6
    assert open_alarms() == []


def test_an_anomaly_during_an_outage_is_noticed_when_its_windows_arrive(people: SimpleNamespace):
    send([window(index, suspect=True, score=0.7, ts=after(-7200 + 30 * index)) for index in range(3)])
    jobs.score_windows(after(1))
    assert open_alarms() == ["rover-1"]
    assert Alarm.objects.get().detail["since"] == after(-7200).isoformat()


def test_robots_do_not_add_up_to_each_others_alarm(people: SimpleNamespace):
    for robot_id in ("rover-1", "shared-1"):
        send([window(index, suspect=True, score=0.7) for index in range(2)], robot_id=robot_id)
    jobs.score_windows(after(1))
    assert open_alarms() == []


def test_a_long_backlog_is_judged_page_by_page_in_one_run(people: SimpleNamespace):
    for start in (0, 500, 1000):
        send([window(start + index) for index in range(200)], first=start + 1)
        send([window(start + index) for index in range(200, 500)], first=start + 201)
    jobs.score_windows(after(91))
    assert Verdict.objects.count() == 1500
    assert Cursor.objects.get().last_id == Record.objects.filter(kind="window").order_by("-id").values_list("id", flat=True)[0]


def test_a_window_without_sensors_is_judged_by_its_score_alone(people: SimpleNamespace):
    send([Window("sensors-1", 0.9, True, [], [], NOW), Window("sensors-1", 0.1, False, NAMES, [], NOW, sampled=True)])
    jobs.score_windows(after(1))
    assert [(verdict.basis, verdict.confirmed, verdict.drivers) for verdict in verdicts()] == [("edge", True, {}), ("edge", False, {})]


def test_what_screening_missed_is_estimated_from_the_random_sample_alone(people: SimpleNamespace):
    send([window(seed) for seed in range(60)])
    jobs.score_windows(after(1))
    send([window(seed) for seed in range(400, 420)], first=64)
    send([window(77, hotter=25), window(78, hotter=25), window(79, suspect=True, score=0.9, hotter=25)], first=61)
    jobs.score_windows(after(2))
    found = queries.missed(Robot.objects.all(), "rover-1", after(-3600))
    assert found.sampled == 20 + 2, "the first sixty were judged before there was a usual"
    assert found.missed == 2
    assert found.low < found.share < found.high


@pytest.mark.parametrize("value", [1e308, -1e308, 1e200])
def test_a_window_that_cannot_be_judged_costs_itself_alone(people: SimpleNamespace, value: float):
    send([window(seed) for seed in range(25)])
    jobs.score_windows(after(1))
    hostile = Window("sensors-1", 0.9, True, NAMES, [[value, value], [-value, value]], NOW)
    send([window(50), hostile, window(51)], first=26)
    send([window(52)], robot_id="shared-1")
    for second in (2, 3, 100):
        jobs.score_windows(after(second))
    assert [verdict.seq for verdict in verdicts()] == [*range(1, 27), 28]
    assert [verdict.seq for verdict in verdicts("shared-1")] == [1], "nor does it keep others waiting"
    assert Cursor.objects.get().last_id == Record.objects.filter(kind="window").order_by("-id").values_list("id", flat=True)[0]
    left_out = SetAside.objects.get()
    assert (left_out.job, left_out.robot_id, left_out.what.split()[-1]) == ("score_windows", "rover-1", "27")
    assert "1e+100" in left_out.reason


def test_of_two_that_judge_at_once_the_second_leaves_nothing_out(people: SimpleNamespace):
    send([window(1), window(2)])
    late = jobs.Usuals(after(1))
    jobs.score_windows(after(1))
    for record in Record.objects.filter(kind="window").order_by("id"):
        jobs._judge_alone(record, late, after(1))
    assert len(verdicts()) == 2
    assert not SetAside.objects.exists()


def test_a_run_that_is_cut_off_leaves_nothing_half_done(people: SimpleNamespace):
    send([window(1, suspect=True, score=0.7), window(2), window(3)])

    class CutOff(Exception):
        pass

    def cut() -> None:
        with transaction.atomic():
            jobs.score_windows(after(61))
            raise CutOff

    with pytest.raises(CutOff):
        cut()
    assert (Verdict.objects.count(), Usual.objects.count(), Cursor.objects.filter(last_id__gt=0).count()) == (0, 0, 0)
    jobs.score_windows(after(62))
    assert Verdict.objects.count() == 3


def test_windows_are_found_by_an_index_of_their_own(people: SimpleNamespace):
    send([window(1)])
    connection = connections[Record.objects.db]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'telemetry_record_2%' AND indexdef LIKE '%WHERE%window%'")
            assert cursor.fetchall(), "a partition has the partial index too"
        else:
            cursor.execute("EXPLAIN QUERY PLAN SELECT * FROM telemetry_record WHERE kind = 'window' AND id > 0 ORDER BY id LIMIT 500")
            assert "USING INDEX telemetry_record_window" in " ".join(str(row) for row in cursor.fetchall())
