"""The arithmetic of the ledger: what is new, what is a repeat, what is a clone, what is missing. Pure.

The table it follows is in docs/reference/protocol.md; `place.py` has the order of streams.
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
    seqs = ranges.of(arrival.seq for arrival in arrivals)
    entry = replace(entry, known_last=max(entry.known_last, seqs[-1][1]))
    booked = bool(ranges.intersect(seqs, ranges.union(entry.have, entry.dead)))
    if not booked and all(arrival.fits for arrival in arrivals):
        return Judged(
            replace(entry, have=ranges.union(entry.have, seqs), dropped=ranges.subtract(entry.dropped, seqs)),
            ["insert"] * len(arrivals),
            seqs,
            EMPTY,
        )
    held = ranges.intersect(seqs, entry.have) if booked else EMPTY
    was_dead = ranges.intersect(seqs, entry.dead) if booked else EMPTY
    whats = [_what(arrival, held, was_dead, hashes) for arrival in arrivals]
    new = _seqs(arrivals, whats, "insert")
    refused = _seqs(arrivals, whats, "refused")
    stored = _seqs(arrivals, whats, "insert", "repeat")
    return Judged(
        Entry(
            have=ranges.union(entry.have, new),
            dead=ranges.union(entry.dead, refused),
            dropped=ranges.subtract(entry.dropped, ranges.union(new, refused)),
            known_last=entry.known_last,
        ),
        whats,
        stored,
        ranges.subtract(seqs, stored),
    )


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
    booked = ranges.union(ranges.union(entry.have, entry.dead), entry.dropped)
    return ranges.subtract(((1, entry.known_last),), booked)
