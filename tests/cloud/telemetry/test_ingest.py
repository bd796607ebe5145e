"""What one relay does to the database, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.db import OperationalError, connections

from croody_contract import messages
from croody_contract.messages import Answer, Born, Event, Presence, Tombstone, Window
from croody_contract.relay import AnswerItem, BatchItem, DeadItem, PlainItem, PresenceItem, Relay
from tests.cloud.telemetry.helpers import NOON, account, batch, count_up, raw, reading, stored, told

Send = Callable[..., dict[str, Any]]
DAY = timedelta(days=1)


def letters(**wanted: Any) -> list[tuple[str, int, int, int]]:
    from croody.telemetry.models import DeadLetter

    return list(DeadLetter.objects.filter(**wanted).order_by("first", "pk").values_list("reason", "first", "last", "count"))


def test_a_new_batch_is_stored_and_acknowledged_exactly(send: Send):
    assert send(1, count_up(1, 5)) == {"stored": [(1, 5)], "dead": []}
    assert stored() == [1, 2, 3, 4, 5]
    assert account() == {"have": ((1, 5),), "dead": (), "dropped": (), "known_last": 5, "missing_since": None}


def test_the_same_batch_again_is_acknowledged_and_makes_no_second_row(send: Send):
    readings = count_up(1, 5)
    assert send(1, readings) == send(1, readings, now=NOON + timedelta(hours=1)) == {"stored": [(1, 5)], "dead": []}
    assert stored() == [1, 2, 3, 4, 5]
    assert letters() == []


def test_overlapping_batches_are_one_set_of_rows(send: Send):
    readings = count_up(1, 8)
    send(3, readings[2:6])
    assert send(1, readings) == {"stored": [(1, 8)], "dead": []}
    assert stored() == list(range(1, 9))


def test_the_same_batch_twice_in_one_relay_is_one_set_of_rows(fleet: SimpleNamespace):
    from croody.telemetry.ingest import services

    one = batch("rover-1", "stream-a", 1, count_up(1, 3)).batches[0]
    relayed = services.ingest_relay(Relay(batches=[one, one]), now=NOON)
    assert relayed.acks[0].ack.stored == [(1, 3)]
    assert stored() == [1, 2, 3]


def test_what_lies_between_is_missing_until_it_comes(send: Send):
    readings = count_up(1, 9)
    send(1, readings[:2])
    send(6, readings[5:], now=NOON + timedelta(seconds=1))
    assert account()["missing_since"] == NOON + timedelta(seconds=1)
    send(3, readings[2:4], now=NOON + timedelta(seconds=9))
    assert account()["missing_since"] == NOON + timedelta(seconds=9), "progress starts the clock again"
    send(9, readings[8:], now=NOON + timedelta(seconds=20))
    assert account()["missing_since"] == NOON + timedelta(seconds=9), "news at the end does not"
    send(5, readings[4:5], now=NOON + timedelta(seconds=30))
    assert account()["missing_since"] is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"kind":"reading","data":{"TEMP":"\\u0000"}}', "nul"),
        (b'{"kind":"reading","data":{"TEMP":"\\ud800"}}', "surrogate"),
        (b'{"kind":"reading","data":{"TEMP":1e999}}', "out_of_range"),
        (b'{"kind":"reading","data":{"TEMP":null}}', "bad_value"),
        (b'{"kind":"reading","data":{"TEMP":[1]}}', "bad_value"),
        (b'{"kind":"reading","data":{"TEMP":123456789012345678901234567890}}', "out_of_range"),
        (b'{"kind":"reading","data":{},"position":{"lat":false,"lng":1}}', "bad_value"),
        (b'{"kind":"reading","data":{},"ts":"0001-01-01T00:00:00+14:00"}', "out_of_range"),
        (b'{"kind":"nothing"}', "bad_value"),
        (b"[]", "bad_value"),
        (b'{"kind":"event","code":"a","detail":{"x":"\\u0000"}}', "bad_value"),
        (b'{"kind":"window","model":"m","score":0.5,"suspect":true,"names":["a"],"features":[[1,2]]}', "bad_shape"),
        (b'{"kind":"tombstone","stream":"stream-z","ranges":[[5,1]],"reason":"thinned"}', "bad_range"),
    ],
)
def test_a_bad_record_is_a_dead_letter_and_costs_its_batch_nothing(send: Send, bad: bytes, reason: str):
    assert send(1, [reading(1), bad, reading(3)]) == {"stored": [(1, 1), (3, 3)], "dead": [(2, 2)]}
    assert stored() == [1, 3]
    assert letters() == [(reason, 2, 2, 1)]
    assert send(1, [reading(1), bad, reading(3)])["dead"] == [(2, 2)]
    assert [letter[3] for letter in letters()] == [2], "the repeat is counted, not kept again"


def test_every_kind_of_record_is_kept_whole(send: Send):
    from croody.telemetry.models import Record

    records = [
        Born(agent="1.0", prev="stream-0", prev_last=0),
        Event(code="screening_started", detail={"model": "m"}),
        Window(model="m", score=0.9, suspect=True, names=["TEMP"], features=[[1.0], [2.0]]),
        reading(4, NOON, position=messages.Position(4.6, -74.1, 2600.0), environment="bodega", status="moving"),
    ]
    send(1, records)
    rows = {row.seq: row for row in Record.objects.all()}
    assert [rows[seq].kind for seq in (1, 2, 3, 4)] == ["born", "event", "window", "reading"]
    assert rows[2].data["detail"] == {"model": "m"}
    assert rows[3].data["features"] == [[1.0], [2.0]]
    assert (rows[4].data, rows[4].lat, rows[4].lng, rows[4].alt, rows[4].status) == ({"TEMP": 4}, 4.6, -74.1, 2600.0, "moving")
    assert rows[4].at == rows[4].ts == NOON


def test_a_birth_is_kept_whether_or_not_it_says_what_the_agent_can_do(send: Send):
    from croody.telemetry.models import Record

    assert send(1, [Born(agent="1", capabilities=["resend", "stop"])]) == {"stored": [(1, 1)], "dead": []}
    assert send(1, [Born(agent="1")], stream="stream-b") == {"stored": [(1, 1)], "dead": []}
    said = [row.data.get("capabilities") for row in Record.objects.order_by("id")]
    assert said == [["resend", "stop"], None]


def test_a_conflict_and_a_quota_from_when_the_worker_was_away_are_alarms(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs
    from croody.telemetry.models import DeadLetter

    send(1, count_up(1, 3))
    jobs.raise_alarms(NOON)
    send(2, [reading(99.0)])
    DeadLetter.objects.create(robot_id="rover-1", reason="quota", received_at=NOON, first=4, last=4)
    for minutes in (30, 31, 40, 80):
        jobs.raise_alarms(NOON + timedelta(minutes=minutes))
    assert sorted(Alarm.objects.values_list("kind", "count")) == [("conflict", 1), ("quota", 1)]


def test_the_same_key_with_other_bytes_is_a_conflict_and_an_alarm(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs
    from croody.telemetry.models import Record

    send(1, count_up(1, 3))
    assert send(2, [reading(99.0)]) == {"stored": [], "dead": [(2, 2)]}
    assert Record.objects.get(seq=2).data == {"TEMP": 2.0}
    assert account()["have"] == ((1, 3),)
    assert letters() == [("conflict", 2, 2, 1)]
    jobs.raise_alarms(NOON)
    jobs.raise_alarms(NOON)
    assert list(Alarm.objects.values_list("robot_id", "kind", "severity", "count")) == [("rover-1", "conflict", "high", 1)]
    send(2, [reading(99.0)])
    jobs.raise_alarms(NOON)
    assert Alarm.objects.get().count == 2


def test_robots_at_1970_and_2029_cost_a_good_one_nothing(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry.ingest import services
    from croody.telemetry.models import Record
    from croody.telemetry.read import queries
    from croody.telemetry.store import partitions

    partitions.ensure(partitions.ahead(NOON))
    before = partitions.present()
    relay = Relay(
        batches=[
            BatchItem("rover-1", "stream-a", 1, [raw(reading(1, NOON.replace(year=1970))), raw(reading(2, NOON.replace(year=2029)))]),
            BatchItem("rover-2", "stream-b", 1, [raw(reading(3, NOON))]),
        ]
    )
    services.ingest_relay(relay, now=NOON)
    flags = list(Record.objects.order_by("robot_id", "seq").values_list("at", "clock_wrong"))
    assert flags == [(NOON, True), (NOON, True), (NOON, False)]
    assert len(partitions.present()) - len(before) <= 1
    newest = told(queries.last("rover-1"))
    assert newest["data"] == {"TEMP": 2.0}
    assert newest["ts"].startswith("2029-11-24")


def test_a_batch_that_is_sent_before_and_after_midnight_is_one_set_of_rows(send: Send):
    late = NOON.replace(hour=23, minute=59, second=59)
    without_time = [reading(float(seq)) for seq in range(1, 4)]
    send(1, without_time, now=late)
    assert send(1, without_time, now=late + timedelta(seconds=2)) == {"stored": [(1, 3)], "dead": []}
    across = [reading(4.0, late), reading(5.0, late + timedelta(seconds=2))]
    send(4, across, now=late + timedelta(seconds=2))
    send(4, across, now=late + timedelta(days=1))
    assert stored() == [1, 2, 3, 4, 5]


def test_a_day_that_retention_dropped_does_not_come_back_and_is_not_missing(telemetry: str, send: Send):
    from croody.telemetry import jobs
    from croody.telemetry.models import DeadLetter

    readings = count_up(1, 5)
    send(1, readings)
    jobs.apply_retention(NOON + 32 * DAY)
    assert stored() == []
    later = NOON + 32 * DAY
    assert send(1, readings, now=later) == {"stored": [(1, 5)], "dead": []}
    assert stored() == []
    assert account()["missing_since"] is None
    assert not DeadLetter.objects.exists()


def test_retention_keeps_what_is_younger(telemetry: str, send: Send):
    from croody.telemetry import jobs
    from croody.telemetry.store import partitions

    send(1, [reading(1.0, NOON - 29 * DAY), reading(2.0, NOON)])
    jobs.apply_retention(NOON + 2 * DAY)
    assert stored() == [2]
    assert all(day >= (NOON - 28 * DAY).date() for day in partitions.present())


def test_a_tombstone_books_its_keys_as_dropped_and_nothing_is_missing(send: Send):
    send(1, count_up(1, 10)[:2], stream="stream-a")
    send(9, count_up(1, 10)[8:], stream="stream-a")
    tomb = Tombstone(stream="stream-a", ranges=[(1, 8)], reason="thinned")
    assert send(1, [Born(agent="1", prev="stream-a", prev_last=10), tomb], stream="stream-b") == {"stored": [(1, 2)], "dead": []}
    assert account()["dropped"] == ((3, 8),)
    assert account()["missing_since"] is None
    send(4, count_up(1, 10)[3:4], stream="stream-a")
    assert account()["dropped"] == ((3, 3), (5, 8)), "what comes after all leaves the dropped ones"


def test_a_successor_tells_that_the_end_of_a_stream_is_missing(send: Send):
    send(1, count_up(1, 3))
    send(1, [Born(agent="1", prev="stream-a", prev_last=7)], stream="stream-b")
    assert account()["known_last"] == 7
    assert account()["missing_since"] == NOON
    send(4, count_up(1, 7)[3:])
    assert account()["missing_since"] is None


def test_backlog_never_overwrites_a_newer_latest(send: Send, fleet: SimpleNamespace):
    from croody.telemetry.read import queries

    send(1, count_up(1, 3, at=NOON - DAY), stream="stream-a")
    send(1, [Born(agent="1", prev="stream-b", prev_last=9), reading(100.0, NOON)], stream="stream-c", prev="stream-b", prev_last=9)
    send(1, count_up(1, 9, at=NOON + timedelta(minutes=4)), stream="stream-b", prev="stream-a", prev_last=3, historical=True)
    send(4, count_up(1, 5)[3:], stream="stream-a", historical=True)
    newest = told(queries.last("rover-1"))
    assert newest["data"] == {"TEMP": 100.0}, "by the streams' order, whatever their clocks say"
    values = [told(row)["data"]["TEMP"] for row in queries.query(["rover-1"], 12).rows]
    assert values == [100.0, *(float(v) for v in range(9, 0, -1)), 5.0, 4.0]


def test_a_robot_that_is_added_now_is_known_now(send: Send, fleet: SimpleNamespace):
    from croody.fleet import services

    assert send(1, [reading(1)], robot_id="rover-9") == {"stored": [], "dead": [(1, 1)]}
    services.add_robot("rover-9", organisation=fleet.alices)
    assert send(2, [reading(2)], robot_id="rover-9") == {"stored": [(2, 2)], "dead": []}


def test_batches_of_unknown_robots_are_kept_whole_and_can_be_played_once_the_robot_is_known(send: Send, fleet: SimpleNamespace):
    from croody.fleet import services as fleet_services
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    records = [reading(float(seq), NOON, environment="x" * 60, status="y" * 60) for seq in range(1, 501)]
    records = [messages.Reading(data={**one.data, "text": "z" * 200}, ts=one.ts) for one in records]
    assert send(1, records, robot_id="rover-9") == {"stored": [], "dead": [(1, 500)]}
    found = list(DeadLetter.objects.order_by("first"))
    assert len(found) > 1, "a batch larger than one letter is cut, not truncated"
    assert {one.reason for one in found} == {"unknown_robot"}
    with pytest.raises(services.NotReplayable, match="no robot rover-9"):
        services.replay(found[0], now=NOON)
    fleet_services.add_robot("rover-9", organisation=fleet.alices)
    done = [services.replay(one, now=NOON) for one in found]
    assert sum(one.stored for one in done) == 500
    assert stored("rover-9") == list(range(1, 501))
    assert account("rover-9")["dead"] == ()
    with pytest.raises(services.NotReplayable, match="was replayed"):
        services.replay(DeadLetter.objects.order_by("first")[0], now=NOON)


def test_records_that_were_dead_and_come_again_good_are_kept_beside_not_lost(send: Send, fleet: SimpleNamespace):
    from croody.fleet import services as fleet_services
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    send(1, [reading(1)], robot_id="rover-9")
    fleet_services.add_robot("rover-9", organisation=fleet.alices)
    assert send(1, [reading(1)], robot_id="rover-9") == {"stored": [], "dead": [(1, 1)]}
    again = DeadLetter.objects.get(reason="dead_before")
    assert services.replay(again, now=NOON).stored == 1
    assert stored("rover-9") == [1]


def test_a_batch_that_cannot_be_read_is_one_letter_acknowledged_as_dead(fleet: SimpleNamespace, send: Send):
    from croody.telemetry.ingest import services

    send(2, count_up(1, 3)[1:2])
    item = DeadItem("bad_json", "body: no", "croody/v1/rover-1/up/batch/stream-a/1-3", b"{", "rover-1", "stream-a", 1, 3)
    acks = services.ingest_relay(Relay(dead=[item]), now=NOON).acks
    assert (acks[0].ack.stored, acks[0].ack.dead) == ([(2, 2)], [(1, 1), (3, 3)])
    assert letters() == [("bad_json", 1, 3, 1)]
    assert account()["dead"] == ((1, 1), (3, 3))


def test_letters_without_a_place_are_kept_and_acknowledge_nothing(fleet: SimpleNamespace):
    from croody.telemetry.ingest import services

    dead = [
        DeadItem("bad_topic", "topic: \x00 no", "a/\x00/b" * 300, b"\x00\xff", None, None, None, None),
        DeadItem("bad_json" * 10, "x" * 9000, "t", b"x" * 200_000, "rover-1", "bad stream!", -3, 2**70),
    ]
    assert services.ingest_relay(Relay(dead=dead), now=NOON).acks == []
    assert sorted(letter[0] for letter in letters()) == ["bad_json" * 4, "bad_topic"]


def test_a_flood_of_letters_is_counted_not_kept(fleet: SimpleNamespace, send: Send):
    from croody.quotas import Quotas
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    many = [PlainItem("rover-1", msgspec.Raw(b'{"data":{"x":null,"n":%d}}' % number)) for number in range(Quotas().letters + 150)]
    services.ingest_relay(Relay(plain=many[:600]), now=NOON)
    services.ingest_relay(Relay(plain=many[600:]), now=NOON)
    assert DeadLetter.objects.filter(robot_id="rover-1").count() == Quotas().letters + 1
    assert DeadLetter.objects.get(reason="too_many").count == 150
    assert send(1, [reading(1), b"{}"]) == {"stored": [(1, 1)], "dead": [(2, 2)]}, "the ledger stays exact"
    services.ingest_relay(Relay(plain=[PlainItem("rover-2", msgspec.Raw(b"{}"))]), now=NOON)
    assert letters(robot_id="rover-2") == [("bad_value", 0, 0, 1)], "one robot's flood costs another nothing"


def _refuse_poison(alias: str) -> None:
    """Make the database refuse certain rows, as it would for a reason that nobody foresaw."""
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            cursor.execute("ALTER TABLE telemetry_record ADD CONSTRAINT poison CHECK (NOT (data ? 'poison'))")
        else:
            cursor.execute(
                "CREATE TRIGGER poison BEFORE INSERT ON telemetry_record WHEN json_extract(new.data, '$.poison') IS NOT NULL "
                "BEGIN SELECT RAISE(ABORT, 'poison'); END"
            )


def _allow_poison(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            cursor.execute("ALTER TABLE telemetry_record DROP CONSTRAINT poison")
        else:
            cursor.execute("DROP TRIGGER poison")


def test_a_record_that_the_database_refuses_is_dead_alone(telemetry: str, fleet: SimpleNamespace, send: Send):
    from croody.telemetry.ingest import services
    from croody.telemetry.store import partitions

    partitions.ensure(partitions.ahead(NOON))
    poison = messages.Reading(data={"poison": 1})
    _refuse_poison(telemetry)
    try:
        relay = Relay(
            batches=[
                BatchItem("rover-1", "stream-a", 1, [raw(reading(1)), raw(poison), raw(reading(3))]),
                BatchItem("rover-2", "stream-b", 1, [raw(reading(1))]),
            ],
            plain=[PlainItem("rover-2", msgspec.Raw(b'{"data":{"poison":2}}')), PlainItem("rover-2", msgspec.Raw(b'{"data":{"x":2}}'))],
        )
        acks = {one.robot_id: one.ack for one in services.ingest_relay(relay, now=NOON).acks}
        again = send(1, [reading(1), poison, reading(3)])
    finally:
        _allow_poison(telemetry)
    assert (acks["rover-1"].stored, acks["rover-1"].dead) == ([(1, 1), (3, 3)], [(2, 2)])
    assert acks["rover-2"].stored == [(1, 1)]
    assert again == {"stored": [(1, 1), (3, 3)], "dead": [(2, 2)]}
    assert [letter[0] for letter in letters(robot_id="rover-1")] == ["database_refused"]
    assert stored("rover-2", "mqtt") == [1]
    assert letters(robot_id="rover-2") == [("database_refused", 0, 0, 1)]


def test_plain_readings_are_numbered_by_the_ledger_and_bad_ones_are_letters(fleet: SimpleNamespace):
    from croody.telemetry.ingest import services
    from croody.telemetry.read import queries

    bodies = [
        b'{"data":{"TEMP":1}}',
        b'{"robot_id":"rover-1","data":{"TEMP":2,"LAT":4.5,"LON":-74}}',
        b'{"robot_id":"rover-2","data":{}}',
        b"nope",
    ]
    items = [PlainItem("rover-1", msgspec.Raw(body)) for body in bodies]
    assert services.ingest_relay(Relay(plain=items), now=NOON).acks == []
    assert stored("rover-1", "mqtt") == [1, 2]
    assert sorted(letter[0] for letter in letters()) == ["bad_json", "wrong_robot"]
    newest = told(queries.last("rover-1"))
    assert newest["position"] == {"lat": 4.5, "lng": -74.0, "alt": None}
    assert newest["id"] is not None


def test_presence_keeps_since_when_and_ignores_the_will_of_an_earlier_run(fleet: SimpleNamespace):
    from croody.telemetry.ingest import services
    from croody.telemetry.models import Presence as Word

    def say(state: Any, stream: str, after_s: int, robot_id: str = "rover-1", queued: int = 0) -> None:
        item = PresenceItem(robot_id, Presence(state=state, stream=stream, queued=queued))
        services.ingest_relay(Relay(presence=[item]), now=NOON + timedelta(seconds=after_s))

    say("online", "stream-a", 0)
    say("online", "stream-a", 30, queued=2**80)
    assert Word.objects.values_list("state", "since", "received_at").get() == ("online", NOON, NOON + timedelta(seconds=30))
    say("online", "stream-b", 40)
    say("offline", "stream-a", 41)
    assert Word.objects.get().state == "online", "the will of the run before"
    say("offline", "stream-b", 50)
    assert Word.objects.values_list("state", "since").get() == ("offline", NOON + timedelta(seconds=50))
    say("online", "stream-x", 60, robot_id="nobody")
    assert Word.objects.count() == 1


def test_two_agents_with_one_secret_take_turns_and_one_that_starts_anew_does_not(fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services

    def say(streams: str, begin: int, state: Any = "online") -> list[tuple[str, int]]:
        for after_s, stream in enumerate(streams, begin):
            word = Presence(state=state, stream=f"stream-{stream}" if stream != "-" else None)
            services.ingest_relay(Relay(presence=[PresenceItem("rover-1", word)]), now=NOON + timedelta(seconds=after_s))
        jobs.notice_copies(NOON + timedelta(seconds=begin + len(streams)))
        return list(Alarm.objects.filter(kind="credential_copied").values_list("robot_id", "count"))

    assert say("aabbccdd", 0) == [], "an agent that is started again and again"
    assert say("cd", 10) == [("rover-1", 1)], "it never goes back"
    assert say("dd", 20) == [("rover-1", 1)], "no news"
    assert say("cdcd", 30) == [("rover-1", 2)]
    Alarm.objects.all().delete()
    assert say("ef", 40) == []
    assert say("ef", 50) == [("rover-1", 1)]


def test_one_word_that_was_late_is_no_copy(fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services

    for after_s, (state, stream) in enumerate([("online", "a"), ("offline", ""), ("online", "b"), ("online", "a"), ("offline", "b")]):
        word = Presence(state=state, stream=f"stream-{stream}" if stream else None)  # type: ignore[arg-type]
        services.ingest_relay(Relay(presence=[PresenceItem("rover-1", word)]), now=NOON + timedelta(seconds=after_s))
    jobs.notice_copies(NOON + timedelta(seconds=9))
    assert Alarm.objects.count() == 0


def test_a_goodbye_is_kept_apart_from_a_last_will_and_a_will_after_it_is_no_news(fleet: SimpleNamespace):
    from croody.telemetry.ingest import services
    from croody.telemetry.models import Presence as Word

    def say(word: Presence, after_s: int) -> tuple[str, datetime]:
        services.ingest_relay(Relay(presence=[PresenceItem("rover-1", word)]), now=NOON + timedelta(seconds=after_s))
        return Word.objects.values_list("state", "received_at").get()

    say(Presence("online", stream="stream-a"), 0)
    goodbye = Presence("offline", stream="stream-a", goodbye=True)
    off = ("off", NOON + timedelta(seconds=10))
    assert say(goodbye, 10) == off
    assert say(Presence("offline"), 11) == off, "the connection broke before it was closed"
    assert say(Presence("online", stream="stream-b"), 20)[0] == "online"
    assert say(goodbye, 21)[0] == "online", "late news of the run before"
    assert say(Presence("offline"), 30)[0] == "offline"


def test_an_answer_closes_what_was_asked(fleet: SimpleNamespace):
    from croody.commands import services as commands
    from croody.commands.models import Outgoing
    from croody.telemetry.ingest import services

    row = commands.send("rover-1", "resend", {}, NOON + DAY, now=NOON)
    items = [AnswerItem("rover-1", row.pk, Answer("done", "with \x00")), AnswerItem("rover-1", 2**80, Answer("done"))]
    services.ingest_relay(Relay(answers=items), now=NOON)
    assert Outgoing.objects.get().answer_state == "done"


def test_a_locked_or_read_only_database_does_nothing_and_says_so(telemetry: str, vendor: str, fleet: SimpleNamespace, send: Send):
    from django.db import InternalError

    from croody.telemetry.models import Stream

    send(1, count_up(1, 2))
    with connections[telemetry].cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on" if vendor == "postgres" else "PRAGMA query_only = on")
    try:
        with pytest.raises((OperationalError, InternalError)):
            send(3, count_up(1, 3)[2:])
    finally:
        with connections[telemetry].cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off" if vendor == "postgres" else "PRAGMA query_only = off")
    assert Stream.objects.get().have == ((1, 2),)
    assert send(3, count_up(1, 3)[2:]) == {"stored": [(3, 3)], "dead": []}


def test_a_ledger_that_was_put_back_meanwhile_is_looked_at_again(telemetry: str, send: Send):
    from croody.telemetry.models import Record, Stream

    send(1, count_up(1, 2))
    Record.objects.all().delete()
    Stream.objects.all().delete()
    assert send(1, count_up(1, 3)) == {"stored": [(1, 3)], "dead": []}
    assert stored() == [1, 2, 3]
