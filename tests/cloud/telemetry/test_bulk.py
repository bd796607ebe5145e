"""Many records at once are the same rows as few at a time, whatever is in them: databases take large requests another way."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.db import connections

from croody_contract.messages import Born, Event, Position
from croody_contract.relay import PlainItem, Relay
from tests.cloud.telemetry.helpers import NOON, account, count_up, raw, reading, stored, told

Send = Callable[..., dict[str, Any]]

ODD = [
    Born(agent="1.0", prev="stream-0", prev_last=0),
    reading(1.5, NOON, status="tab\there", environment="back\\slash"),
    reading(-0.0, NOON - timedelta(seconds=1), status="line\nbreak\rreturn", environment="\\N"),
    reading(1e-300, status="\\."),
    reading(2**53 + 1, NOON.replace(year=1970), status="é日本\u2028😀", position=Position(4.6, -74.1)),
    reading(3, NOON.replace(microsecond=123456), position=Position(1e-7, 179.99999999999997, 2600.1)),
    b'{"kind":"reading","data":{"a":"\\\\ \\" \\n \\t \\u00e9 \\u2028 \\u0085","a\\\\b":1,"c":true,"d":1E5,"e":2.50}}',
    b' { "kind" : "reading" , "data" : { "x" : 12345678901234567 , "y" : 0.1 } , "ts" : "2026-11-24T10:00:00+05:30" } ',
    Event(code="screening_started", detail={"model": "m\\n", "text": "a\tb\n"}),
]
COLUMNS = ("kind", "at", "ts", "received_at", "clock_wrong", "historical", "hash", "data", "lat", "lng", "alt", "environment", "status")


def rows(stream: str) -> list[Any]:
    from croody.telemetry.models import Record

    return list(Record.objects.filter(stream=stream).order_by("seq").values_list("seq", *COLUMNS))


def test_many_records_at_once_are_the_rows_that_few_at_a_time_make(send: Send):
    records = [ODD[number % len(ODD)] for number in range(250)]
    assert send(1, records, stream="stream-many") == {"stored": [(1, 250)], "dead": []}
    for first in range(1, 251, 25):
        send(first, records[first - 1 : first + 24], stream="stream-some")
    assert rows("stream-many") == rows("stream-some")
    assert len(rows("stream-many")) == 250


def test_the_newest_reading_is_told_with_its_id_however_many_came_with_it(send: Send):
    from croody.telemetry.models import Record
    from croody.telemetry.read import queries

    send(1, [*count_up(1, 250), Event(code="parked")])
    newest = told(queries.last("rover-1"))
    assert newest["id"] == Record.objects.get(seq=250).pk
    assert newest["data"] == {"TEMP": 250.0}


def test_one_bad_record_among_many_is_the_only_letter(send: Send):
    from croody.telemetry.models import DeadLetter

    records: list[Any] = [reading(float(number)) for number in range(250)]
    records[99] = b'{"kind":"reading","data":{"TEMP":1e400}}'
    records[149] = b'{"kind":"reading","data":{"TEMP":"\\u0000"}}'
    assert send(1, records) == {"stored": [(1, 99), (101, 149), (151, 250)], "dead": [(100, 100), (150, 150)]}
    assert list(DeadLetter.objects.order_by("first").values_list("first", "reason")) == [(100, "out_of_range"), (150, "nul")]


def test_a_row_that_the_ledger_does_not_know_of_costs_the_many_that_come_with_it_nothing(send: Send, telemetry: str):
    from croody.telemetry.models import DeadLetter, Stream

    records = count_up(1, 250)
    send(1, records[:3])
    Stream.objects.using(telemetry).update(have=(), known_last=0)
    assert send(1, records) == {"stored": [(1, 250)], "dead": []}
    assert stored() == list(range(1, 251))
    assert account()["have"] == ((1, 250),)
    assert not DeadLetter.objects.exists()


def test_what_comes_twice_among_many_is_stored_once_and_what_differs_is_a_conflict(fleet: SimpleNamespace, telemetry: str):
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter
    from tests.cloud.telemetry.helpers import batch

    records: list[Any] = count_up(1, 150)
    other = [*records[:149], reading(99.0)]
    batches = [*batch("rover-1", "stream-a", 1, records).batches, *batch("rover-1", "stream-a", 1, other).batches]
    (ack,) = services.ingest_relay(Relay(batches=batches), now=NOON).acks
    assert (ack.ack.stored, ack.ack.dead) == ([(1, 150)], [(150, 150)])
    assert stored() == list(range(1, 151))
    assert list(DeadLetter.objects.values_list("reason", "first")) == [("conflict", 150)]


def test_many_plain_readings_are_numbered_in_the_order_they_came(fleet: SimpleNamespace, telemetry: str):
    from croody.telemetry.ingest import services
    from croody.telemetry.models import Record

    items = [PlainItem(f"rover-{1 + number % 2}", raw(b'{"data":{"n":%d}}' % number)) for number in range(300)]
    services.ingest_relay(Relay(plain=items), now=NOON)
    assert not connections[telemetry].in_atomic_block
    for robot, start in (("rover-1", 0), ("rover-2", 1)):
        found = Record.objects.filter(robot_id=robot, stream="mqtt").order_by("seq").values_list("seq", "data")
        assert list(found) == [(seq, {"n": start + 2 * (seq - 1)}) for seq in range(1, 151)]
