"""The body of a batch: bytes there and back, and the poison that must not get through."""

import gzip
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_contract import batch, messages
from croody_contract.batch import Head, pack, payload_hash, unpack
from croody_contract.limits import MAX_DECOMPRESSED_BYTES, MAX_RECORD_BYTES, MAX_RECORDS
from croody_contract.messages import Reading, Refused

VALUE = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30),
)
NAME = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=10)
READING = st.builds(Reading, data=st.dictionaries(NAME, VALUE, max_size=4), ts=st.none() | st.datetimes(timezones=st.timezones()))
HEAD = st.builds(
    Head,
    prev=st.none() | st.from_regex(r"[A-Za-z0-9_-]{8,64}", fullmatch=True),
    prev_last=st.none() | st.integers(0, 2**53 - 1),
    historical=st.booleans(),
)


@given(HEAD, st.lists(READING, min_size=1, max_size=20))
def test_what_is_packed_is_unpacked_byte_for_byte(head: Head, readings: list[Reading]):
    records = [messages.encode(one) for one in readings]
    body = pack(head, records)
    assert body == pack(head, records), "the same records give the same bytes"
    found = unpack(body, len(records))
    assert [bytes(raw) for raw in found.records] == records
    assert (found.prev, found.prev_last, found.historical) == (head.prev, head.prev_last, head.historical)
    for raw, one in zip(found.records, readings, strict=True):
        assert messages.encode(messages.decode_record(raw)) == messages.encode(one)


@given(
    st.lists(READING, min_size=1, max_size=8),
    st.integers(0, 7),
    st.sampled_from([b'{"kind":"reading","data":{"x":NaN}}', b'{"kind":"reading","data":{"x":-Infinity}}']),
)
def test_a_record_that_is_no_json_costs_the_others_nothing(readings: list[Reading], at: int, bad: bytes):
    records = [messages.encode(one) for one in readings]
    records.insert(at % (len(records) + 1), bad)
    found = unpack(pack(Head(), records), len(records))
    outcomes = []
    for raw in found.records:
        try:
            messages.decode_record(raw)
            outcomes.append("fits")
        except Refused as refused:
            outcomes.append(refused.reason)
    assert outcomes.count("not_finite") == 1
    assert outcomes.count("fits") == len(readings)


@given(st.binary(max_size=200), st.integers(1, 20))
def test_whatever_comes_it_is_read_or_refused(body: bytes, expected: int):
    try:
        outcome: int | str = len(unpack(body, expected).records)
    except Refused as refused:
        outcome = refused.reason
    assert outcome == expected or str(outcome).isidentifier()


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(size // 2**20)) + packer.flush()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bad_json"),
        (b"\xff\xfe", "bad_utf8"),
        (b'{"records":', "bad_json"),
        (b'{"records":5}', "bad_json"),
        (b'{"records":[1,2]}', "bad_count"),
        (b"[" * 100_000, "bad_json"),
        (b'{"records":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}", "too_deep"),
        (b"\x1f\x8bnonsense", "bad_gzip"),
        (gzip.compress(b'{"records":[1]}')[:-9], "bad_gzip"),
        (bomb(100 * 2**20), "too_large"),
    ],
    ids=["empty", "utf8", "cut", "type", "count", "open", "deep", "gzip", "gzip-cut", "bomb"],
)
def test_poison_is_refused_with_a_reason(body: bytes, reason: str):
    with pytest.raises(Refused) as refused:
        unpack(body, 1)
    assert refused.value.reason == reason


def test_a_bomb_of_100_megabytes_is_small_and_stops_at_the_limit():
    body = bomb(100 * 2**20)
    assert len(body) < 110_000
    with pytest.raises(Refused, match=str(MAX_DECOMPRESSED_BYTES)):
        batch.inflate(body)


def test_a_batch_holds_at_most_so_many_records():
    records = [b"{}"] * (MAX_RECORDS + 1)
    with pytest.raises(Refused, match=f"at most {MAX_RECORDS}"):
        unpack(pack(Head(), records), len(records))


def test_a_record_has_at_most_so_many_bytes():
    batch.check_size(b"x" * MAX_RECORD_BYTES)
    with pytest.raises(Refused, match=f"at most {MAX_RECORD_BYTES}"):
        batch.check_size(b"x" * (MAX_RECORD_BYTES + 1))


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_the_hash_tells_bytes_apart(one: bytes, other: bytes):
    assert (payload_hash(one) == payload_hash(other)) == (one == other)
    assert payload_hash(msgspec.Raw(one)) == payload_hash(one)
    assert len(payload_hash(one)) == 32


@pytest.mark.parametrize(
    "body",
    [
        b'{ "prev": "abcdefgh", "records" : [ {"kind":"reading","data":{"a":1}} ,\n {"kind":"reading","data":{"a":NaN}} ] }',
        b'{"records":[{"kind":"reading","data":{"a":1}},{"kind":"reading","data":{"a":NaN}}],"historical":true}',
    ],
)
def test_a_row_that_is_no_json_costs_no_other_however_the_body_is_spaced(body: bytes) -> None:
    sound, broken = batch.unpack(body, 2).records
    assert messages.decode_record(sound) == messages.Reading(data={"a": 1})
    with pytest.raises(Refused, match="NaN"):
        messages.decode_record(broken)


@pytest.mark.parametrize("end", [b"]", b",]}", b"", b"]}}", b'],"historical":1}'])
def test_a_body_that_is_cut_or_goes_on_is_not_taken_for_whole(end: bytes) -> None:
    with pytest.raises(Refused) as refused:
        batch.unpack(b'{"records":[{"kind":"reading","data":{"a":NaN}}' + end, 1)
    assert refused.value.reason == "bad_json"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"records":[],"prev":"x"}', "prev: \"x\" breaks the rule: use 8 to 64 letters, digits, '_' and '-'"),
        (b'{"records":[],"prev_last":-1}', "prev_last: -1 breaks the rule: expected `int` >= 0"),
        (b'{"record":[]}', "records: is missing and must be there"),
        (b'{"records":[{"a":007}]}', "body: JSON is malformed: invalid number (byte 18), near "),
        (b'{"records":[{"a":1}]}\0', "body: ends with a byte 0: send as many bytes as the text has"),
        (b'{"records":[{"a":nan}]}', "body: JSON has no NaN or Infinity; leave it out instead"),
        (b"{'records':[]}", "body: looks like Python's own writing: json.dumps writes JSON"),
    ],
)
def test_of_a_body_that_cannot_be_read_it_is_said_what_it_is_and_where(body: bytes, sentence: str):
    with pytest.raises(Refused) as refused:
        unpack(body, 1)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    "body",
    [
        b'{"records":[{"kind":"reading","data":{"a":1}}],"records":[{"kind":"reading","data":{"a":2}}]}',
        b'{"prev":"stream-1","prev":"stream-2","records":[{"kind":"reading","data":{"a":1}}]}',
        b'{"prev_last":1,"records":[{"kind":"reading","data":{"a":1}}],"prev_last":2}',
        b'{"historical":true,"records": [ {"kind":"reading","data":{"a":1}} ] , "historical":false}',
        b'{"x":[1],"historical":true,"records":[{"kind":"reading","data":{"a":1}}],"historical":false}',
        b'{"historical":true,"records":[{"kind":"reading","data":{"a":NaN}}],"historical":false}',
        b'{"rec\\u006frds":[{}],"records":[{"kind":"reading","data":{"a":1}}]}',
    ],
)
def test_a_name_of_the_body_stands_once(body: bytes):
    with pytest.raises(Refused) as error:
        unpack(body, 1)
    assert error.value.reason == "twice"
    assert "stands twice in the body" in str(error.value)


@pytest.mark.parametrize(
    "body",
    [
        b'{"records":[{"kind":"reading","data":{"a":1,"a":2}},{"kind":"reading","data":{"records":[1]}}]}',
        b'{"records" : [ {"kind":"reading","data":{"a":1,"a":2}} , {"kind":"reading","data":{"b":"]["}} ] }',
    ],
)
def test_what_stands_twice_in_a_record_costs_no_other(body: bytes):
    assert len(unpack(body, 2).records) == 2
