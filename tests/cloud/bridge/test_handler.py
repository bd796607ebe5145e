"""The pure half of the bridge: bytes in, items out, and acknowledgements back."""

import gzip
import json

import msgspec
import pytest

from croody.bridge import handler
from croody.bridge.receipts import Delivery
from croody_contract import batch, messages, relay
from croody_contract.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES

STREAM = "stream-of-alice"
UP = "croody/v1/rover-1/up"


def reading(**data) -> bytes:
    return messages.encode(messages.Reading(data=data))


def of(records: list[bytes], first: int = 1, **head) -> list[handler.Item]:
    topic = f"{UP}/batch/{STREAM}/{first}-{first + len(records) - 1}"
    return handler.read(topic, batch.pack(batch.Head(**head), records))


def test_a_batch_becomes_one_item_whose_records_are_the_bytes_that_came():
    records = [reading(TEMP=20.5 + n) for n in range(5)]
    (item,) = of(records, first=7, prev="stream-before", prev_last=6, historical=True)
    assert item == relay.BatchItem("rover-1", STREAM, 7, [msgspec.Raw(r) for r in records], "stream-before", 6, True)


def test_what_a_relay_carries_comes_out_of_it_unchanged():
    records = [reading(TEMP=20.5), b'{"kind":"reading","data":{"a":1e999}}', '{"kind":"reading","data":{"ñ":"日本"}}'.encode()]
    decoded = relay.decode_relay(handler.encode(of(records)))
    assert [bytes(raw) for raw in decoded.batches[0].records] == records


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (b'{"kind":"reading","data":{"a":NaN}}', "not_finite"),
        (b'{"kind":"reading","data":{"a":-Infinity}}', "not_finite"),
        (b'{"kind":"reading","data":{"a":"\\ud800"}}', "surrogate"),
        (b'{"kind":"reading","data":{"a":"' + b"x" * MAX_RECORD_BYTES + b'"}}', "too_large"),
        (b'{"kind":"reading","data":' + b"[" * 60 + b"]" * 60 + b"}", "too_deep"),
    ],
)
def test_a_bad_row_never_costs_its_batch(poison, reason):
    good = [reading(n=n) for n in range(4)]
    items = of([good[0], good[1], poison, good[2], good[3]], first=10)
    letters = [item for item in items if isinstance(item, relay.DeadItem)]
    assert [(letter.reason, letter.first, letter.last) for letter in letters] == [(reason, 12, 12)]
    kept = {item.first: [bytes(raw) for raw in item.records] for item in items if isinstance(item, relay.BatchItem)}
    assert kept == {10: good[:2], 13: good[2:]}
    relay.decode_relay(handler.encode(items))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "bad_json"),
        (b"not json", "bad_json"),
        (b"\xff\xfe{}", "bad_utf8"),
        (b'{"records":[', "bad_json"),
        (b'{"records":[]}', "bad_count"),
        (b'{"records":[' + b"[" * 100_000, "too_deep"),
        (b"\x1f\x8bnot gzip", "bad_gzip"),
        (gzip.compress(b"0" * 100_000_000, 9)[:200_000], "too_large"),
        (b"x" * (256 * 1024 + 1), "too_large"),
    ],
    ids=["empty", "words", "not utf-8", "cut", "no records", "deep", "not gzip", "bomb", "oversized"],
)
def test_a_body_that_cannot_be_read_is_one_dead_letter_with_its_range(payload, reason):
    (letter,) = handler.read(f"{UP}/batch/{STREAM}/5-8", payload)
    assert isinstance(letter, relay.DeadItem)
    assert (letter.reason, letter.robot_id, letter.stream, letter.first, letter.last) == (reason, "rover-1", STREAM, 5, 8)
    assert len(letter.body) <= handler.KEPT_BYTES
    relay.decode_relay(handler.encode([letter]))


def test_a_range_that_no_agent_writes_marks_nothing_as_dead():
    (letter,) = handler.read(f"{UP}/batch/{STREAM}/1-9007199254740991", b"{}")
    assert (letter.reason, letter.robot_id, letter.stream, letter.first) == ("too_many", "rover-1", None, None)


@pytest.mark.parametrize(
    "topic", ["croody/v1/rover-1/up/nothing", "croody/v1/rover-1/up/batch/x/1-2", "croody/v1/rover-1/down/ack", "else", ""]
)
def test_an_unknown_topic_is_a_dead_letter_that_names_it(topic):
    (letter,) = handler.read(topic, b"{}")
    assert (letter.reason, letter.topic) == ("bad_topic", topic)


def test_a_plain_reading_passes_as_it_came_and_what_is_no_json_does_not():
    body = json.dumps({"data": {"TEMP": 21}}).encode()
    assert handler.read(f"{UP}/telemetry", body) == [relay.PlainItem("rover-1", msgspec.Raw(body))]
    for bad, reason in (
        (b"{", "bad_json"),
        (b"", "bad_json"),
        (b'{"data":{"a":NaN}}', "not_finite"),
        (b'{"extra":' + b"[" * 60_000, "too_deep"),
    ):
        (letter,) = handler.read(f"{UP}/telemetry", bad)
        assert (letter.reason, letter.first) == (reason, None)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("presence", b'{"state":"online","state":"offline","goodbye":true}'),
        ("answer/7", b'{"state":"refused","state":"done"}'),
        ("answer/7", b'{"state":"done","hashes":null,"h\\u0061shes":null}'),
    ],
)
def test_presence_and_answers_say_each_thing_once(topic: str, body: bytes):
    (item,) = handler.read(f"{UP}/{topic}", body)
    assert isinstance(item, relay.DeadItem)
    assert (item.reason, item.robot_id) == ("twice", "rover-1")
    assert "stands twice in one object" in item.detail


def test_presence_and_answers_are_read_and_bad_ones_are_dead_letters():
    presence = messages.Presence(state="online", stream=STREAM, queued=3)
    assert handler.read(f"{UP}/presence", messages.encode(presence)) == [relay.PresenceItem("rover-1", presence)]
    answer = messages.Answer(state="done")
    assert handler.read(f"{UP}/answer/12", messages.encode(answer)) == [relay.AnswerItem("rover-1", 12, answer)]
    for topic in (f"{UP}/presence", f"{UP}/answer/12"):
        for bad in (b"", b'{"state":"gone"}', b"\xff", b"[" * 100_000):
            (letter,) = handler.read(topic, bad)
            assert isinstance(letter, relay.DeadItem)


def test_a_batch_larger_than_a_relay_is_cut_into_items_that_fit_and_miss_no_record():
    records = [reading(text="x" * 1000, n=n) for n in range(500)]
    padded = [record[:-1] + b" " * 6000 + b"}" for record in records]
    items = of(padded)
    assert len(items) > 5
    seqs = [item.first + index for item in items for index in range(len(item.records))]
    assert seqs == list(range(1, 501))
    assert all(len(handler.encode([item])) < MAX_BODY_BYTES for item in items)
    assert all(handler.size_of(item) >= len(handler.encode([item])) - 100 for item in items)


def test_parting_halves_items_then_records_and_keeps_every_seq():
    (item,) = of([reading(n=n) for n in range(7)], first=3)
    left, right = handler.halves([item])
    assert [len(left[0].records), len(right[0].records), right[0].first] == [3, 4, 6]
    assert handler.halves([msgspec.structs.replace(item, records=item.records[:1])]) is None
    assert handler.halves([item, item, item]) == ([item], [item, item])


def test_merged_acknowledgements_are_exact_unions_and_never_cross_streams():
    merger = handler.AckMerger()
    merger.add(
        [
            relay.RobotAck("rover-1", messages.Ack("stream-a", [(1, 3)], [(9, 9)])),
            relay.RobotAck("rover-2", messages.Ack("stream-a", [(1, 1)])),
        ]
    )
    merger.add(
        [
            relay.RobotAck("rover-1", messages.Ack("stream-a", [(4, 5), (8, 8)])),
            relay.RobotAck("rover-1", messages.Ack("stream-b", [(2, 2)])),
        ]
    )
    said = {
        (publish.topic, ack.stream): ack for publish in merger.take() for ack in [msgspec.json.decode(publish.payload, type=messages.Ack)]
    }
    assert said == {
        ("croody/v1/rover-1/down/ack", "stream-a"): messages.Ack("stream-a", [(1, 5), (8, 8)], [(9, 9)]),
        ("croody/v1/rover-1/down/ack", "stream-b"): messages.Ack("stream-b", [(2, 2)]),
        ("croody/v1/rover-2/down/ack", "stream-a"): messages.Ack("stream-a", [(1, 1)]),
    }
    assert merger.take() == []


def test_what_a_vehicle_says_is_carried_as_it_is_and_what_no_relay_can_hold_is_a_dead_letter():
    topic = "uagv/v2/Acme/AGV-1/state"
    told = Delivery(7, 3, True)
    [one] = handler.read(topic, b'{"errors":[]}', told)
    assert one == relay.VehicleItem(topic, msgspec.Raw(b'{"errors":[]}'), 7, 3, True)
    assert handler.numbers([one]) == [7]
    assert relay.decode_relay(handler.encode([one])).vehicles[0].topic == topic
    refused = handler.refused(one, 400, "no")
    assert refused is not None
    assert (refused.topic, refused.number) == (topic, 7)
    for payload, reason in ((b"{", "bad_json"), (b"[" * 400 + b"]" * 400, "too_deep"), (b" " * (256 * 1024 + 1), "too_large")):
        [dead] = handler.read(topic, payload, told)
        assert isinstance(dead, relay.DeadItem)
        assert (dead.reason, dead.number) == (reason, 7)
    [ours] = handler.read("croody/v1/rover-1/up/state", b"{}")
    assert isinstance(ours, relay.DeadItem)
