"""The outbox at its size limit: the past is thinned by the stated policy, in the open, and nothing that matters goes."""

import sqlite3
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path

import pytest

from croody_contract import ranges
from croody_contract.messages import Born, Event, Reading, Tombstone, Window, decode_record, encode
from croody_contract.ranges import Ranges
from croody_edge.outbox import thinning
from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import key_of, place_of
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from tests.edge_agent.doubles import reading
from tests.edge_agent.outbox.test_queue import EVERYTHING, NOW, encoded, records

LIMIT = 400_000


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "edge", "rover-alice", program=Program("test"), limit_bytes=LIMIT)
    made.open(NOW)
    yield made
    made.close()


def publish(outbox: Outbox, count: int, protected: Ranges = ranges.EMPTY) -> list[int]:
    """Readings, ten in a commit. Returns their seqs."""
    seqs: list[int] = []
    for first in range(0, count, 10):
        group = [encoded(number, padding=100) for number in range(first, min(first + 10, count))]
        seqs += [place_of(key)[1] for key in outbox.append(group, NOW, protected)]
    return seqs


def test_what_is_not_there_any_more_is_declared_and_nothing_else_is(outbox: Outbox, tmp_path: Path) -> None:
    published = publish(outbox, 6000)
    found = records(outbox)
    assert outbox.current is not None
    stream = outbox.current.id
    present = {seq for _, seq in found}
    dropped: Ranges = ranges.EMPTY
    for record in found.values():
        if isinstance(record, Tombstone):
            assert (record.stream, record.reason) == (stream, "thinned")
            dropped = ranges.union(dropped, ranges.normalise(record.ranges))
    assert set(published) - present == set(ranges.members(dropped))
    assert ranges.count(dropped) > 2000
    assert outbox.pending() == len(found)
    with sqlite3.connect(tmp_path / "edge" / "outbox.db") as db:
        used = db.execute("SELECT (p.page_count - f.freelist_count) * 4096 FROM pragma_page_count p, pragma_freelist_count f").fetchone()[0]
    db.close()
    assert used <= LIMIT


def test_the_present_stays_whole_and_the_past_fades_in_runs(outbox: Outbox) -> None:
    published = publish(outbox, 6000)
    present = sorted(seq for (_, seq), record in records(outbox).items() if isinstance(record, Reading))
    assert present[-300:] == published[-300:], "of the newest nothing goes"
    oldest = ranges.of(present)[:10]
    assert sum(last - first + 1 for first, last in oldest) >= 8 * thinning.RUN, "what stays of the past stays in runs"
    middle = [seq for seq in present if seq > published[len(published) // 2]]
    assert len(middle) > len(present) / 2, "the older, the coarser"


def test_events_births_tombstones_and_suspect_windows_never_go(outbox: Outbox) -> None:
    window = Window(model="m", score=0.9, suspect=True, names=["a"], features=[[1.0]])
    cleared = Window(model="m", score=0.1, suspect=False, names=["a"], features=[[1.0]], sampled=True)
    kept = []
    for number in range(100):
        for record in (Event(code="bumped", detail={"n": number}), window, cleared):
            (key,) = outbox.append([Encoded(encode(record), thinning.may_go(record))], NOW)
            if record is not cleared:
                kept.append(place_of(key)[1])
        publish(outbox, 50)
    found = {seq: record for (_, seq), record in records(outbox).items()}
    assert set(kept) <= set(found)
    assert isinstance(found[1], Born)
    stones = [record for record in found.values() if isinstance(record, Tombstone)]
    for stone in stones:
        for seq in ranges.members(ranges.normalise(stone.ranges)):
            assert seq not in found
    assert sum(isinstance(record, Window) and not record.suspect for record in found.values()) < 100


def test_what_is_on_its_way_to_the_cloud_is_not_thinned(outbox: Outbox) -> None:
    first = publish(outbox, 200)
    protected = ((key_of(1, first[0]), key_of(1, first[-1])),)
    publish(outbox, 6000, protected)
    present = {seq for _, seq in records(outbox)}
    assert set(first) <= present
    publish(outbox, 3000)
    assert not set(first) <= {seq for _, seq in records(outbox)}


def test_older_streams_are_thinned_first_and_named(tmp_path: Path) -> None:
    for _ in range(2):
        outbox = Outbox(tmp_path / "edge", "rover-alice", program=Program("test"), limit_bytes=LIMIT)
        outbox.open(NOW)
        publish(outbox, 900)
        outbox.close()
    outbox = Outbox(tmp_path / "edge", "rover-alice", program=Program("test"), limit_bytes=LIMIT)
    outbox.open(NOW)
    publish(outbox, 900)
    found = records(outbox)
    streams = [record.prev for record in found.values() if isinstance(record, Born)]
    stones = [record for record in found.values() if isinstance(record, Tombstone)]
    assert stones
    assert stones[0].stream == streams[1]
    for stone in stones:
        assert not {(stone.stream, seq) for seq in ranges.members(ranges.normalise(stone.ranges))} & set(found)
    outbox.close()


def test_a_queue_full_of_what_may_not_go_refuses_readings_and_still_takes_events(outbox: Outbox) -> None:
    event = Encoded(encode(Event(code="bumped", detail={"t": "x" * 900})), low=False)

    def fill() -> None:
        for _ in range(1000):
            outbox.append([encoded(1), event], NOW)

    with pytest.raises(OSError, match="none of it may be thinned") as refused:
        fill()
    assert refused.value.errno == ENOSPC
    pending = outbox.pending()
    assert outbox.append([event], NOW), "there is a reserve for events"
    assert outbox.pending() == pending + 1
    outbox.remove(((0, EVERYTHING),), NOW)
    assert publish(outbox, 10)


def test_a_tombstone_that_the_disk_refused_deletes_nothing(tmp_path: Path) -> None:
    """Rows and the tombstone that declares them go in one transaction: none without the other."""
    outbox = Outbox(tmp_path / "edge", "rover-alice", program=Program("test"), limit_bytes=LIMIT)
    outbox.open(NOW)
    publish(outbox, 1500)
    before = set(records(outbox))
    event = Encoded(b'{"kind":"event","code":"bumped","detail":{"t":"' + b"x" * 500_000 + b'"}}', low=False)
    with pytest.raises(OSError, match="at most"):
        outbox.append([event], NOW)
    assert set(records(outbox)) == before
    assert outbox.pending() == len(before)
    outbox.close()


def test_the_policy_takes_every_second_run_of_ten() -> None:
    assert thinning.choose(range(40), ranges.EMPTY) == [*range(10, 20), *range(30, 40)]
    assert thinning.choose(range(40), ((5, 14),)) == [*range(20, 30)]
    assert thinning.choose([], ranges.EMPTY) == []
    assert len(thinning.chunks(tuple((n, n) for n in range(1, 5000, 2)))) == 3


def test_what_may_go_is_said_by_kind() -> None:
    assert thinning.may_go(reading(1))
    assert thinning.may_go(Window(model="m", score=0.1, suspect=False, names=[], features=[]))
    for record in (
        Window(model="m", score=0.9, suspect=True, names=[], features=[]),
        Event(code="bumped"),
        Born(agent="a"),
        Tombstone(stream="abcdefgh", ranges=[(1, 1)], reason="thinned"),
    ):
        assert not thinning.may_go(record)
        assert decode_record(encode(record)) == record
