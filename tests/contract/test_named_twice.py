"""A name that stands twice in one object hides one of its values: it is refused, and what is in order costs next to nothing."""

import json

import pytest

from croody_contract import messages
from croody_contract.messages import Refused
from croody_contract.named_twice import said_twice


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"data":{"a":1,"a":2}}', "data.a"),
        (b'{"data":{"a":1,"\\u0061":2}}', "data.a"),
        (b'{"data":{"a" :1,"b":0,"a"\n:2}}', "data.a"),
        (b'{"data":{"v":"s",":x":1,"w":"s", ":x":2}}', "data.:x"),
        (b'{"data":{"":1,"b":"\\"",  "":2}}', "data."),
        (b'{"data":{},"status":"a","status":"a"}', "status"),
        (b'{"data":{},"ts":null,"ts":"2026-11-24T10:00:00Z"}', "ts"),
        (b'{"data":{},"position":{"lat":1,"lng":2,"alt":null,"alt":3}}', "position.alt"),
        (b'{"data":{},"x":[{"y":{"a":{},"a":[1]}}]}', "x[0].y.a"),
    ],
)
def test_each_is_named_by_its_place_alone_and_among_others(body: bytes, place: str):
    assert said_twice(body).startswith(f"{place}: stands twice in one object, as ")
    good = [b'{"data":{"a":1,"b":"x"},"position":{"lat":1,"lng":2}}'] * 3
    assert messages.decode_telemetries(good) is not None
    assert messages.decode_telemetries([*good, body]) is None
    record = b'{"kind":"reading",' + body[1:]
    assert messages.decode_records([record]) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"data":1,"ts":2,"kind":3,"position":4}}',
        b'{"data":{"a":":","b":":","c":"\\":","d":"\\":"}}',
        b'{"data":{":":1,"::":2,"a:":3},"status":":"}',
        b'{"data" : {"a": 1, "b" : 2}, "position": {"lat": 1, "lng": 2, "alt": null}}',
        b'{"data":{"a":1},"x":' + b"1" * 6000 + b"}",
        json.dumps({"data": {f"m{n}": n for n in range(256)}, "seen": [{"a": 1}, {"a": 2}]}).encode(),
    ],
)
def test_names_that_only_look_alike_are_taken(body: bytes):
    assert said_twice(body) == ""
    assert messages.decode_telemetry(body).data
    # What has an escape in it is always looked at one by one.
    assert (messages.decode_telemetries([body, body]) is None) == (b"\\" in body)


def test_the_sentence_shows_both_values_and_what_to_do():
    with pytest.raises(Refused) as refused:
        messages.decode_telemetry(b'{"data":{"a":12345678901234567890.5,"a":"' + b"x" * 100 + b'"}}')
    assert refused.value.reason == "twice"
    shown = '"' + "x" * 39 + "…"
    assert str(refused.value) == f"data.a: stands twice in one object, as 12345678901234567890.5 and as {shown}: send each name once"


def test_events_windows_and_what_else_is_no_reading_are_looked_at_too():
    for record in (
        b'{"kind":"event","code":"hit","severity":"low","severity":"critical"}',
        b'{"kind":"event","code":"hit","detail":{"a":1,"a":2}}',
        b'{"kind":"tombstone","stream":"stream-a","ranges":[[1,2]],"reason":"thinned","ranges":[[1,9]]}',
        b'{"kind":"born","agent":"a","agent":"b"}',
    ):
        assert messages.decode_records([record]) is None
        with pytest.raises(Refused, match="stands twice"):
            messages.decode_record(record)
