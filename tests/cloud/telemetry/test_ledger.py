"""The table of docs/reference/protocol.md, row by row, and what must hold for any history."""

from hypothesis import given
from hypothesis import strategies as st

from croody.telemetry.ingest import ledger
from croody.telemetry.ingest.ledger import Arrival, Entry
from croody_contract import ranges

SEQ = st.integers(1, 30)


def judge(entry: Entry, *arrivals: tuple[int, str, bool], hashes: dict[int, str] | None = None) -> ledger.Judged:
    return ledger.judge(entry, [Arrival(*arrival) for arrival in arrivals], hashes or {})


def test_what_is_in_no_set_is_inserted_and_acknowledged_as_stored():
    judged = judge(Entry(), (3, "a", True), (4, "b", True))
    assert list(judged.whats) == ["insert", "insert"]
    assert (judged.entry.have, judged.stored, judged.dead) == (((3, 4),), ((3, 4),), ())
    assert ledger.missing(judged.entry) == ((1, 2),)


def test_what_breaks_a_rule_is_dead_and_costs_its_neighbours_nothing():
    judged = judge(Entry(), (1, "a", True), (2, "b", False), (3, "c", True))
    assert list(judged.whats) == ["insert", "refused", "insert"]
    assert (judged.entry.have, judged.entry.dead) == (((1, 1), (3, 3)), ((2, 2),))
    assert (judged.stored, judged.dead) == (((1, 1), (3, 3)), ((2, 2),))


def test_a_repeat_with_the_same_hash_changes_nothing_and_is_stored():
    entry = Entry(have=((1, 5),), known_last=5)
    judged = judge(entry, (2, "a", True), hashes={2: "a"})
    assert (list(judged.whats), judged.entry, judged.stored) == (["repeat"], entry, ((2, 2),))


def test_a_repeat_of_a_row_past_retention_is_stored_whatever_its_hash():
    judged = judge(Entry(have=((1, 5),), known_last=5), (2, "other", True))
    assert (list(judged.whats), judged.stored, judged.dead) == (["repeat"], ((2, 2),), ())


def test_the_same_key_with_other_bytes_is_a_conflict_and_the_stored_row_stays():
    entry = Entry(have=((1, 5),), known_last=5)
    judged = judge(entry, (2, "b", True), hashes={2: "a"})
    assert (list(judged.whats), judged.entry, judged.dead) == (["conflict"], entry, ((2, 2),))


def test_what_was_dead_stays_dead():
    entry = Entry(dead=((2, 2),), known_last=2)
    assert judge(entry, (2, "a", True)).whats[0] == "dead_before"
    assert judge(entry, (2, "a", False)).whats[0] == "refused"
    assert judge(entry, (2, "a", True)).dead == ((2, 2),)
    assert judge(entry, (2, "a", True)).entry == entry


def test_what_was_declared_dropped_and_comes_after_all_is_stored():
    judged = judge(Entry(dropped=((1, 9),), known_last=9), (4, "a", True))
    assert (judged.entry.have, judged.entry.dropped) == (((4, 4),), ((1, 3), (5, 9)))


def test_a_tombstone_drops_only_what_nobody_holds():
    entry = ledger.drop(Entry(have=((1, 3),), dead=((5, 5),), known_last=5), ((1, 8),))
    assert (entry.dropped, entry.known_last, ledger.missing(entry)) == (((4, 4), (6, 8)), 8, ())


def test_a_batch_that_cannot_be_read_is_dead_but_for_what_is_held():
    entry, stored, dead = ledger.bury(Entry(have=((2, 3),), dropped=((4, 4),), known_last=3), ((1, 5),))
    assert (stored, dead) == (((2, 3),), ((1, 1), (4, 5)))
    assert (entry.dead, entry.dropped, entry.known_last) == (((1, 1), (4, 5)), (), 5)


def test_a_successor_tells_where_a_stream_ended():
    assert ledger.missing(ledger.known(Entry(have=((1, 3),), known_last=3), 5)) == ((4, 5),)
    assert ledger.known(Entry(known_last=7), 5).known_last == 7


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int, int, bool]]:
    steps = []
    for _ in range(draw(st.integers(1, 12))):
        first = draw(SEQ)
        steps.append(
            (
                draw(st.sampled_from(["batch", "bury", "drop"])),
                first,
                first + draw(st.integers(0, 6)),
                draw(st.integers(0, 1)),
                draw(st.booleans()),
            )
        )
    return steps


@given(histories())
def test_whatever_comes_the_three_sets_never_share_a_seq_and_every_seq_is_in_one_or_missing(steps: list[tuple[str, int, int, int, bool]]):
    entry = Entry()
    rows: dict[int, str] = {}
    for kind, first, last, variant, fits in steps:
        if kind == "batch":
            arrivals = [Arrival(seq, f"{seq}/{variant}", fits or seq % 3 > 0) for seq in range(first, last + 1)]
            judged = ledger.judge(entry, arrivals, rows)
            for arrival, what in zip(arrivals, judged.whats, strict=True):
                if what == "insert":
                    assert arrival.seq not in rows, "a key was inserted twice"
                    rows[arrival.seq] = arrival.hash
                stored_as_sent = rows.get(arrival.seq) == arrival.hash
                assert ranges.contains(judged.stored, arrival.seq) == stored_as_sent, "stored is said of exactly what is stored"
                assert ranges.contains(judged.dead, arrival.seq) == (not stored_as_sent)
            entry = judged.entry
        elif kind == "bury":
            entry, _, _ = ledger.bury(entry, ((first, last),))
        else:
            entry = ledger.drop(entry, ((first, last),))
        sets = [set(ranges.members(part)) for part in (entry.have, entry.dead, entry.dropped, ledger.missing(entry))]
        assert sum(map(len, sets)) == len(set().union(*sets)) == entry.known_last
        assert sets[0] == set(rows)
