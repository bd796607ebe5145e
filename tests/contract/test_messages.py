"""The rules that types cannot say, and a refusal that names the field, the value and the rule."""

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from croody_contract import messages
from croody_contract.messages import Refused


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        ({"kind": "reading", "data": {"a": "\x00"}}, "nul", "data.a"),
        ({"kind": "reading", "data": {"\x00": 1}}, "nul", "data key"),
        ({"kind": "reading", "data": {"a": 2**63}}, "out_of_range", "data.a"),
        ({"kind": "reading", "data": {"a": None}}, "bad_value", "data"),
        ({"kind": "reading", "data": {"": 1}}, "bad_value", "data"),
        ({"kind": "reading", "data": {"a": "x" * 1025}}, "bad_value", "data"),
        ({"kind": "reading", "data": {str(number): 1 for number in range(257)}}, "bad_value", "data"),
        ({"kind": "reading", "data": {}, "ts": "2026-01-01T00:00:00"}, "bad_value", "ts"),
        ({"kind": "reading", "data": {}, "position": {"lat": True, "lng": 0}}, "bad_value", "position.lat"),
        ({"kind": "reading", "data": {}, "position": {"lat": 0, "lng": 181}}, "bad_value", "position.lng"),
        ({"kind": "reading", "data": {}, "status": "\x00"}, "nul", "status"),
        ({"kind": "event", "code": "Bad Code"}, "bad_value", "code"),
        ({"kind": "event", "code": "ok\n"}, "bad_value", "code"),
        ({"kind": "event", "code": "fine", "detail": {"x": "\x00"}}, "nul", "detail.x"),
        ({"kind": "window", "model": "m", "score": 2, "suspect": True, "names": [], "features": []}, "bad_value", "score"),
        (
            {"kind": "window", "model": "m", "score": 1, "suspect": True, "names": ["a"], "features": [[1.0, 2.0]]},
            "bad_shape",
            "features[0]",
        ),
        ({"kind": "tombstone", "stream": "stream-a1", "ranges": [], "reason": "thinned"}, "bad_value", "ranges"),
        ({"kind": "tombstone", "stream": "stream-a1", "ranges": [[2, 1]], "reason": "thinned"}, "bad_range", "ranges"),
        ({"kind": "tombstone", "stream": "stream-a1", "ranges": [[0, 1]], "reason": "thinned"}, "bad_value", "ranges"),
        ({"kind": "born", "agent": "a", "prev": "no"}, "bad_value", "prev"),
        ({"kind": "born", "agent": "a", "capabilities": ["resend", "Dance!"]}, "bad_value", "capabilities"),
        ({"kind": "else"}, "bad_value", "kind"),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused_and_the_field_is_named(record: dict[str, Any], reason: str, field: str):
    with pytest.raises(Refused) as refused:
        messages.decode_record(msgspec.json.encode(record))
    assert refused.value.reason == reason
    assert str(refused.value).startswith(field)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"data":{"a":1,"b":null}}', "data.b: null breaks the rule: expected `bool | int | float | str`, got `null`: leave it out"),
        (b'{"data":{"ok":1,"":2}}', 'data key: "" breaks the rule: expected `str` of length >= 1'),
        (b'{"data":{},"position":{"lat":400,"lng":0}}', "position.lat: 400 breaks the rule: expected `float` <= 90.0"),
        (b'{"data":{},"position":{"lat":4}}', "position.lng: is missing and must be there"),
        (b'{"data":{},"position":{"lat":4,"lon":0}}', "position.lon: there is no such field; a position has lat, lng and alt"),
        (
            b'{"data":{},"position":{"lat":404168000,"lng":-37038000}}',
            "position.lat: 404168000 breaks the rule: expected `float` <= 90.0: it looks like degrees times 10,000,000, divide it",
        ),
        (
            b'{"data":{},"position":{"lat":4025.01,"lng":0}}',
            "position.lat: 4025.01 breaks the rule: expected `float` <= 90.0: it looks like degrees and minutes of NMEA (dddmm.mm), send "
            "degrees with decimals",
        ),
        (b'{"ts":"2026-11-24T10:00:00+00:00"}', "data: is missing and must be there"),
        (b"null", "body: null breaks the rule: expected `object`, got `null`"),
        (
            b'{"data":{"b":1,"a":-1e999}}',
            "data.a: -1e999 breaks the rule: a number lies between -1.8e308 and 1.8e308; leave it out, or send it as text",
        ),
        (b'{"data":' + b'"' + b"x" * 100 + b'"}', 'data: "' + "x" * 59 + "… breaks the rule: expected `object`, got `str`"),
    ],
)
def test_a_refusal_reads_field_value_rule_and_repeats_no_more_of_the_body(body: bytes, sentence: str):
    with pytest.raises(Refused) as refused:
        messages.decode_telemetry(body)
    assert str(refused.value) == sentence


def test_of_a_list_the_refused_place_is_numbered():
    with pytest.raises(Refused) as refused:
        messages.decode_record(b'{"kind":"tombstone","stream":"stream-a1","ranges":[[1,2],[0,1]],"reason":"thinned"}')
    assert str(refused.value) == "ranges[1][0]: 0 breaks the rule: expected `int` >= 1"


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_json_has_no_such_numbers_and_the_reason_says_so(word: bytes):
    with pytest.raises(Refused) as refused:
        messages.decode_record(b'{"kind":"reading","data":{"a":' + word + b"}}")
    assert refused.value.reason == "not_finite"
    assert str(refused.value).startswith(f"data.a: {word.decode()} ")


#: What comes of clients that write their JSON by hand, or something else: the body, the reason, what the sentence tells.
NO_JSON = {
    "empty": (b"", "bad_json", "body: is empty: send a JSON object"),
    "blank": (b" \r\n", "bad_json", "body: is empty"),
    "packed": (gzip.compress(b'{"data":{"a":1}}'), "bad_json", "body: is packed with gzip"),
    "byte order mark": (b'\xef\xbb\xbf{"data":{"a":1}}', "bad_json", "body: begins with a byte order mark"),
    "utf-16": ('{"data":{"a":1}}'.encode("utf-16"), "bad_json", "body: is UTF-16: send UTF-8"),
    "end of a C string": (b'{"data":{"a":1}}\0', "bad_json", "body: ends with a byte 0"),
    "captive portal": (b"\n<!doctype html><title>Wi-Fi</title>", "bad_json", "body: is a page (HTML or XML)"),
    "half of a pair": (b'{"data":{"ok":1,"a":"\\ud800"}}', "surrogate", "data.a: holds \\ud800, half of a surrogate pair"),
    "half of a pair in a name": (b'{"data":{"\\udfff":1}}', "surrogate", "data key: holds \\udfff, half"),
    "half of a pair in a word": (b'{"data":{},"status":"\\udc00"}', "surrogate", "status: holds \\udc00, half"),
    "nan of C": (b'{"data":{"a":nan}}', "not_finite", "body: JSON has no NaN or Infinity; leave it out instead"),
    "-inf of C": (b'{"data":{"a":-inf}}', "not_finite", "body: JSON has no NaN or Infinity"),
    "Python": (b"{'data': {'a': 1}}", "bad_json", "body: looks like Python's own writing: json.dumps writes JSON"),
    "True of Python": (b'{"data":{"a":True}}', "bad_json", "body: looks like Python's own writing"),
    "two": (b'{"data":{"a":1}}\n{"data":{"a":2}}', "bad_json", "body: goes on behind its end: send one JSON object a message"),
    "cut": (
        b'{"data":{"a":21.5',
        "bad_json",
        'body: ends too early, after 17 bytes, near \\"data\\":{\\"a\\":21.5: send one whole JSON object',
    ),
    "decimal comma": (b'{"data":{"a":21,5}}', "bad_json", 'near {\\"data\\":{\\"a\\":21,5}}'),
    "leading zero": (b'{"data":{"a":007}}', "bad_json", "invalid number (byte 14), near"),
}


@pytest.mark.parametrize(("body", "reason", "told"), NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_told_as_what_it_is_and_what_to_do(body: bytes, reason: str, told: str):
    with pytest.raises(Refused) as refused:
        messages.decode_telemetry(body)
    assert refused.value.reason == reason
    assert told in str(refused.value)


def outcome(decode: Callable[[bytes], Any], body: bytes) -> str:
    try:
        decode(body)
    except Refused as refused:
        return refused.reason
    return "fits"


@given(st.binary(max_size=300))
def test_whatever_comes_it_is_a_record_or_refused(body: bytes):
    for decode in (messages.decode_record, messages.decode_telemetry):
        assert outcome(decode, body).isidentifier()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["kind", "data", "ts", "position", "lat", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_whatever_json_comes_it_is_a_reading_or_refused(value: Any):
    body = msgspec.json.encode({"kind": "reading", "data": value, "robot_id": value if isinstance(value, str) else "rover"})
    for decode in (messages.decode_record, messages.decode_telemetry):
        assert outcome(decode, body).isidentifier()


#: What JSON can say in more than one way, or can say and no database takes.
ODD = (
    b'{"kind":"reading","data":{"a":1}}',
    b' {\t"kind" : "reading",\n"data":{ "a" : 1.50 } } ',
    b'{"data":{"a":1,"a":2},"kind":"reading"}',
    b'{"kind":"reading","data":{"a":1},"data":{"b":2}}',
    b'{"kind":"reading","data":{"a":1e400}}',
    b'{"kind":"reading","data":{"a":-1E+400}}',
    b'{"kind":"reading","data":{"a":1e-400,"b":-0.0,"c":-0,"d":1E5}}',
    b'{"kind":"reading","data":{"a":9223372036854775807,"b":-9223372036854775808}}',
    b'{"kind":"reading","data":{"a":9223372036854775808}}',
    b'{"kind":"reading","data":{"a":-9223372036854775809}}',
    b'{"kind":"reading","data":{"a":' + b"9" * 400 + b"}}",
    b'{"kind":"reading","data":{"a":"\\u0000"}}',
    b'{"kind":"reading","data":{"\\u0000":1}}',
    b'{"kind":"reading","data":{"a":"\\u00e9\\n\\\\u0000"}}',
    b'{"kind":"reading","data":{"a":"\\ud83d\\ude00"}}',
    b'{"kind":"reading","data":{"a":"\\ud800"}}',
    b'{"kind":"reading","data":{"a":"\xff"}}',
    b'{"kind":"reading","data":{"a":"\xed\xa0\x80"}}',
    '{"kind":"reading","data":{"ñ":"日本"},"status":"é"}'.encode(),
    b'{"kind":"reading","data":{},"status":"\\u0000"}',
    b'{"kind":"reading","data":{},"position":{"lat":1,"lng":2,"alt":1e400}}',
    b'{"kind":"reading","data":{"a":true,"b":false}}',
    b'{"kind":"reading","data":{"a":null}}',
    b'{"kind":"event","code":"ok","detail":{"a":9223372036854775808}}',
    b'{"kind":"window","model":"m","score":0.5,"suspect":true,"names":["a"],"features":[[1,2]]}',
    b'{"kind":"tombstone","stream":"stream-z","ranges":[[5,1]],"reason":"thinned"}',
    b'{"kind":"tombstone","stream":"stream-z","ranges":[[1,5]],"reason":"thinned"}',
    b'{"kind":"born","agent":"1.0"}',
    b'{"kind":"born","agent":"\\u0000"}',
    b"[]",
)


UNIX = [
    ("1790000000", "Unix seconds", "2026-09-21T14:13:20Z"),
    ("1.79e18", "Unix nanoseconds", "2026-09-21T14:13:20Z"),
    ("1790000000.5", "Unix seconds", "2026-09-21T14:13:20Z"),
    ("1790000000123", "Unix milliseconds", "2026-09-21T14:13:20Z"),
    ("1790000000123456", "Unix microseconds", "2026-09-21T14:13:20Z"),
    ("1790000000123456789", "Unix nanoseconds", "2026-09-21T14:13:20Z"),
    ('"1790000000"', "Unix seconds", "2026-09-21T14:13:20Z"),
    ("0", "such as", "2026-11-24T10:00:00Z"),
    ("-1790000000", "such as", "2026-11-24T10:00:00Z"),
    ("1e30", "such as", "2026-11-24T10:00:00Z"),
    ("true", "such as", "2026-11-24T10:00:00Z"),
    ('"2026-11-24T10:00:00"', "with its offset", "2026-11-24T10:00:00Z"),
    ('"24/11/2026 10:00"', "with its offset", "2026-11-24T10:00:00Z"),
]


@pytest.mark.parametrize(("ts", "kind", "moment"), UNIX)
def test_a_time_that_is_no_iso_8601_is_refused_with_what_it_would_be(ts: str, kind: str, moment: str):
    plain, record = f'{{"data":{{"a":1}},"ts":{ts}}}'.encode(), f'{{"kind":"reading","data":{{"a":1}},"ts":{ts}}}'.encode()
    for decode, body in ((messages.decode_telemetry, plain), (messages.decode_record, record)):
        with pytest.raises(Refused) as refused:
            decode(body)
        assert str(refused.value).startswith("ts: ")
        assert kind in str(refused.value)
        assert moment in str(refused.value)
    assert messages.decode_telemetries([plain]) is None
    assert messages.decode_records([record]) is None


@given(st.lists(st.sampled_from(ODD), min_size=1, max_size=4))
def test_a_batch_decoded_at_once_is_the_records_decoded_one_by_one(raws: list[bytes]):
    def one_by_one() -> list[messages.Record] | None:
        try:
            return [messages.decode_record(raw) for raw in raws]
        except Refused:
            return None

    at_once = messages.decode_records(raws)
    assert at_once is None or at_once == one_by_one()
    # None only sends a batch the long way; records without escapes that fit never take it.
    assert at_once is not None or one_by_one() is None or any(b"\\" in raw for raw in raws)


@given(st.lists(st.sampled_from([raw.replace(b'"kind":"reading",', b"") for raw in ODD]), min_size=1, max_size=4))
def test_plain_readings_decoded_at_once_are_those_decoded_one_by_one(raws: list[bytes]):
    def one_by_one() -> list[messages.Telemetry] | None:
        try:
            return [messages.decode_telemetry(raw) for raw in raws]
        except Refused:
            return None

    at_once = messages.decode_telemetries(raws)
    assert at_once is None or at_once == one_by_one()
    assert at_once is not None or one_by_one() is None or any(b"\\" in raw for raw in raws)


def test_what_holds_two_values_is_not_taken_for_two_records():
    two = b'{"kind":"reading","data":{}},{"kind":"reading","data":{}}'
    assert messages.decode_records([two]) is None
    assert messages.decode_records([]) == []


def _texts(kind: Any, path: tuple[str, ...] = ()) -> "Iterator[tuple[str, ...]]":
    """Where in a message of this type a text of any characters may stand."""
    match inspect.type_info(kind) if not isinstance(kind, inspect.Type) else kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from _texts(field.type, (*path, field.encode_name))
        case inspect.StrType(pattern=None):
            yield path
        case inspect.UnionType(types=types):
            yield from {found for each in types for found in _texts(each, path)}
        case inspect.ListType(item_type=item):
            yield from _texts(item, (*path, "[]"))
        case inspect.DictType(key_type=key, value_type=value):
            yield from _texts(key, (*path, "{key}"))
            yield from _texts(value, (*path, "{}"))


#: Messages from a robot, each with what has to be there.
_MESSAGES: list[tuple[type[msgspec.Struct], dict[str, Any]]] = [
    (messages.Reading, {"data": {}}),
    (messages.Event, {"code": "fine"}),
    (messages.Window, {"model": "m", "score": 1.0, "suspect": True, "names": [], "features": []}),
    (messages.Tombstone, {"stream": "stream-a", "ranges": [(1, 1)], "reason": "thinned"}),
    (messages.Born, {"agent": "a"}),
    (messages.Telemetry, {"data": {}}),
    (messages.Answer, {"state": "done"}),
    (messages.Presence, {"state": "online"}),
]
#: A hash of a secret has a stricter rule of its own, and never comes to be: `test_claims`.
_PLACES = [(kind, least, path) for kind, least in _MESSAGES for path in sorted(set(_texts(kind))) if path[0] != "hashes"]


@pytest.mark.parametrize(("kind", "least", "path"), _PLACES, ids=lambda value: "-".join(value) if isinstance(value, tuple) else "")
@pytest.mark.parametrize(("text", "reason"), [("abc\x00", "nul"), ("abc\ud800", "surrogate")])
def test_every_text_of_every_message_is_held_to_one_rule(kind, least, path, text: str, reason: str):
    field, *inner = path
    value: Any
    match inner:
        case ["[]", name]:
            value = [messages.MetricInfo(**{"name": "a", name: text})]
        case _:
            value = {"": text, "[]": [text], "{}": {"a": text}, "{key}": {text: 1}}["".join(inner)]
    with pytest.raises(Refused) as refused:
        messages.check_texts(kind(**{**least, field: value}))
    assert refused.value.reason == reason
    assert str(refused.value).startswith(field)


def test_a_window_whose_model_no_database_stores_is_refused_before_it_gets_there():
    record = {"kind": "window", "model": "m\x00", "score": 1, "suspect": True, "names": [], "features": []}
    with pytest.raises(Refused, match="model: holds the character"):
        messages.decode_record(msgspec.json.encode(record))


WORD = "lower-case letters, digits and '_', a letter first"


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (b'{"kind":"event","code":"BUMPER"}', f'code: "BUMPER" breaks the rule: use 2 to 64 {WORD}'),
        (b'{"kind":"event","code":"hit\\n"}', f'code: "hit\\n" breaks the rule: use 2 to 64 {WORD}'),
        (
            b'{"kind":"tombstone","stream":"a b","ranges":[[1,2]],"reason":"thinned"}',
            "stream: \"a b\" breaks the rule: use 8 to 64 letters, digits, '_' and '-'",
        ),
        (b'{"kind":"born","agent":"x","capabilities":["Re"]}', f'capabilities[0]: "Re" breaks the rule: use 2 to 32 {WORD}'),
    ],
)
def test_what_a_pattern_asks_for_is_said_in_words(record: bytes, sentence: str):
    with pytest.raises(Refused) as refused:
        messages.decode_record(record)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("windows", "told"),
    [
        ({"10": {"failed_ports": -1}}, "windows.10.failed_ports: -1 breaks the rule: expected `int` >= 0"),
        ({"10": {"a": 1}, "60": {"a": 1, "b": "x"}}, 'windows.60.b: "x" breaks the rule: expected `int`, got `str`'),
        ({"60": {"a": 1.5}}, "windows.60.a: 1.5 breaks the rule: expected `int`, got `float`"),
        ({"60": 3}, "windows: expected `object`, got `int`"),
    ],
)
def test_a_counter_of_evidence_that_is_none_is_named(windows: dict[str, Any], told: str):
    body = {"kind": "evidence", "device": "02:00:00:00:00:01", "screen": "s", "suspect": True, "windows": windows, "kinds": []}
    with pytest.raises(Refused) as refused:
        messages.decode_record(msgspec.json.encode(body))
    assert str(refused.value) == told
