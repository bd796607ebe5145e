"""The arithmetic of the ledger: what is new, what is a repeat, what is a clone, what is missing. Pure.

The table it follows is in docs/reference/protocol.md; `stream_order.py` has the order of streams.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from croody_contract import ranges
from croody_contract.ranges import EMPTY, Ranges

What = Literal["insert", "repeat", "conflict", "refused", "dead_before"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row's account: `have`, `dead` and `dropped` never share a seq; `known_last` is the greatest anybody spoke of."""

    have: Ranges = EMPTY
    dead: Ranges = EMPTY
    dropped: Ranges = EMPTY
    known_last: int = 0


class Counts(NamedTuple):
    """What an account comes to: each number is one of the first four. `missing` may still come, in `gaps` holes."""

    stored: int
    dead: int
    dropped: int
    missing: int
    gaps: int


class Arrival(NamedTuple):
    """A record as it came in: `fits` says that it breaks no rule."""

    seq: int
    hash: str
    fits: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """`whats[i]` is what becomes of arrival i; `stored` and `dead` are what to acknowledge."""

    entry: Entry
    whats: Sequence[What]
    stored: Ranges
    dead: Ranges


def judge(entry: Entry, arrivals: Sequence[Arrival], hashes: Mapping[int, str]) -> Judged:
    """Book records that came in one batch.

    Args:
        entry: the account, read under its lock.
        arrivals: ascending by seq, none twice.
        hashes: seq -> hash of the row that is stored; a seq in `have` that is not here is past retention.
    """
    if not arrivals:
        return Judged(entry, (), EMPTY, EMPTY)
    first, last = arrivals[0].seq, arrivals[-1].seq
    seqs: Ranges = ((first, last),) if last - first + 1 == len(arrivals) else ranges.of(arrival.seq for arrival in arrivals)
    held, was_dead = _within(entry.have, seqs), _within(entry.dead, seqs)
    whats = [_what(arrival, held, was_dead, hashes) for arrival in arrivals]
    new = _seqs(arrivals, whats, "insert")
    refused = _seqs(arrivals, whats, "refused")
    stored = _seqs(arrivals, whats, "insert", "repeat")
    return Judged(
        Entry(
            have=ranges.union(entry.have, new),
            dead=ranges.union(entry.dead, refused),
            dropped=ranges.subtract(entry.dropped, ranges.union(new, refused)),
            known_last=max(entry.known_last, last),
        ),
        whats,
        stored,
        ranges.subtract(seqs, stored),
    )


def news(entry: Entry, first: int, last: int) -> Entry | None:
    """The account with first..last stored, where none of them was booked before; None: they have to be judged one by one."""
    seqs: Ranges = ((first, last),)
    if _within(entry.have, seqs) or _within(entry.dead, seqs):
        return None
    dropped = ranges.subtract(entry.dropped, seqs) if entry.dropped else EMPTY
    return Entry(_add(entry.have, seqs), entry.dead, dropped, max(entry.known_last, last))


def _within(whole: Ranges, seqs: Ranges) -> Ranges:
    """What both hold. News lies beyond everything that is booked, and costs one comparison."""
    return ranges.intersect(seqs, whole) if whole and seqs[0][0] <= whole[-1][1] else EMPTY


def _add(whole: Ranges, seqs: Ranges) -> Ranges:
    """Numbers in either. What follows right behind only moves the end."""
    if whole and len(seqs) == 1 and seqs[0][0] == whole[-1][1] + 1:
        return (*whole[:-1], (whole[-1][0], seqs[0][1]))
    return ranges.union(whole, seqs)


def _what(arrival: Arrival, held: Ranges, was_dead: Ranges, hashes: Mapping[int, str]) -> What:
    if held and ranges.contains(held, arrival.seq):
        return "repeat" if hashes.get(arrival.seq, arrival.hash) == arrival.hash else "conflict"
    if not arrival.fits:
        return "refused"
    return "dead_before" if was_dead and ranges.contains(was_dead, arrival.seq) else "insert"


def _seqs(arrivals: Sequence[Arrival], whats: Sequence[What], *kinds: What) -> Ranges:
    return ranges.of(arrival.seq for arrival, what in zip(arrivals, whats, strict=True) if what in kinds)


def bury(entry: Entry, span: Ranges) -> tuple[Entry, Ranges, Ranges]:
    """Book a batch that cannot be read as a whole. Returns the account, and what to acknowledge as stored and as dead."""
    stored = ranges.intersect(span, entry.have)
    dead = ranges.subtract(span, entry.have)
    booked = Entry(
        have=entry.have,
        dead=ranges.union(entry.dead, dead),
        dropped=ranges.subtract(entry.dropped, dead),
        known_last=max(entry.known_last, ranges.last(span)),
    )
    return booked, stored, dead


def drop(entry: Entry, span: Ranges) -> Entry:
    """Book a tombstone: what it names and nobody holds will never come."""
    gone = ranges.subtract(span, ranges.union(entry.have, entry.dead))
    return replace(entry, dropped=ranges.union(entry.dropped, gone), known_last=max(entry.known_last, ranges.last(span)))


def revive(entry: Entry, span: Ranges) -> Entry:
    """Take dead letters back before they are played again."""
    return replace(entry, dead=ranges.subtract(entry.dead, span))


def known(entry: Entry, last: int) -> Entry:
    """Somebody spoke of `last`: a successor naming where this stream ended."""
    return entry if last <= entry.known_last else replace(entry, known_last=last)


def missing(entry: Entry) -> Ranges:
    """What must exist and has not come."""
    if entry.known_last < 1:
        return EMPTY
    everything: Ranges = ((1, entry.known_last),)
    if entry.have == everything:
        return EMPTY
    return ranges.subtract(everything, ranges.union(ranges.union(entry.have, entry.dead), entry.dropped))


def counts(entry: Entry) -> Counts:
    """Of one account."""
    lacks = missing(entry)
    return Counts(ranges.count(entry.have), ranges.count(entry.dead), ranges.count(entry.dropped), ranges.count(lacks), len(lacks))
