"""The parts of the matrix that need no running system: an audit that missed something would prove nothing."""

import random
from collections import Counter
from pathlib import Path

import pytest

from tools.chaos import audit, packets, plain, witness
from tools.chaos.__main__ import chosen
from tools.chaos.audit import Books
from tools.chaos.faults import FAULTS
from tools.chaos.plain import Seen
from tools.chaos.witness import Witness
from tools.stack import ROOT
from tools.words import Problem

KEYS = {("rover-1", "stream-a", seq): f"hash-{seq}" for seq in range(1, 6)}


def books(**changes) -> Books:
    found = Books(records=dict(KEYS), have=set(KEYS))
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def faults(held: Books, seen: Witness | None = None) -> str:
    return "; ".join(audit.judge(seen or Witness(dict(KEYS), ()), held).faults)


def test_books_that_agree_with_the_witness_are_well():
    verdict = audit.judge(Witness(dict(KEYS), ()), books())
    assert (verdict.published, verdict.stored, verdict.lost, verdict.faults) == (5, 5, 0, ())


def test_the_audit_notices_everything_that_must_never_happen():
    first = next(iter(KEYS))
    without = {key: digest for key, digest in KEYS.items() if key != first}
    assert "1 readings are lost" in faults(books(records=without, have=set(without)))
    assert "stored more than once" in faults(books(doubled=[first]))
    assert "other bytes" in faults(books(records={**KEYS, first: "else"}))
    assert "used twice at the source" in faults(books(), Witness(dict(KEYS), (first,)))
    assert "became dead letters" in faults(books(records=without, have=set(without), dead={first}))
    assert "were dropped" in faults(books(records=without, have=set(without), dropped={first[:2]: [(1, 1)]}))
    assert "ledger misses" in faults(books(missing=[("rover-1", "stream-a", 9, 9)]))
    assert "ledger and records differ" in faults(books(have=set(without)))
    assert "still open" in faults(books(open_requests=1))


def test_gaps_are_what_no_range_covers():
    assert audit._gaps(10, [(2, 3), (5, 5), (5, 7)]) == [(1, 1), (4, 4), (8, 10)]
    assert audit._gaps(3, [(1, 9)]) == []
    assert audit._gaps(0, []) == []


def test_a_witness_line_without_its_end_is_none_and_two_hashes_for_a_key_are_a_clash(tmp_path: Path):
    (tmp_path / "one").write_text("rover-1 stream-a 1 aa\nrover-1 stream-a 2 bb\nrover-1 stream-a 3 c")
    (tmp_path / "two").write_text("rover-1 stream-a 2 other\n")
    seen = witness.read([tmp_path / "one", tmp_path / "two", tmp_path / "none"])
    assert set(seen.hashes) == {("rover-1", "stream-a", 1), ("rover-1", "stream-a", 2)}
    assert seen.clashes == (("rover-1", "stream-a", 2),)


def publish(number: int) -> bytes:
    topic = b"croody/v1/rover-1/up/batch/stream-a/1-1"
    body = len(topic).to_bytes(2, "big") + topic + number.to_bytes(2, "big") + b"x" * 200
    return bytes([0x32, (len(body) & 0x7F) | 0x80, len(body) >> 7]) + body


def test_packets_are_told_apart_however_their_bytes_arrive():
    whole = [b"\xc0\x00", publish(1), publish(2), b"\xe0\x00"]
    splitter = packets.Splitter()
    out = [packet for index in range(len(b"".join(whole))) for packet in splitter.feed(b"".join(whole)[index : index + 1])]
    assert out == whole
    assert [packets.kind(packet) for packet in out] == [12, 3, 3, 14]
    assert packets.topic(out[1]).endswith("/1-1")


def test_repeating_and_reordering_keeps_every_publish_and_adds_only_repeats():
    change = packets.RepeatAndReorder(random.Random(1))
    sent = [publish(number) for number in range(100)]
    out = [packet for each in sent for packet in change(each)] + change(b"\xc0\x00")
    bare = [bytes([packet[0] & ~0x08]) + packet[1:] for packet in out if packets.kind(packet) == packets.PUBLISH]
    assert set(bare) == set(sent)
    assert len(bare) > 120
    assert bare != sorted(bare, key=sent.index)


def test_an_acknowledged_plain_reading_without_a_row_is_lost_and_two_rows_are_forgiven_only_where_a_connection_was_lost():
    seen = Seen(sent={1, 2, 3, 4, 5}, acknowledged={1, 2, 3, 4}, again={3})
    verdict = plain.judge(seen, Counter({2: 2, 3: 2, 4: 1}))
    assert (verdict.published, verdict.stored, verdict.lost, verdict.doubled) == (5, 3, 1, 1)
    assert [sentence.split()[0] for sentence in verdict.faults] == ["1", "1", "1"]
    assert plain.judge(Seen({1}, {1}, set()), Counter({1: 1})).faults == ()


def test_what_a_stock_client_wrote_is_read_but_for_a_line_without_its_end(tmp_path: Path):
    path = tmp_path / "witness"
    path.write_text("S 1\nS 2\nA 1\nR 2\nA 2")
    assert plain.read([path]) == {path: Seen({1, 2}, {1}, {2})}


def test_every_fault_is_in_the_reference_and_an_unknown_one_is_refused_by_name():
    text = (ROOT / "docs" / "reference" / "faults.md").read_text(encoding="utf-8")
    assert [fault.name for fault in FAULTS if f"`{fault.name}`" not in text] == []
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    with pytest.raises(Problem, match="sunspots"):
        chosen("link-cut,sunspots")
