"""How a record lies in the outbox file: its key, and the checksum that tells whether it is still what was written. Pure.

A row's key is `n << 40 | seq`: its stream's place in the file and its number, so that all streams lie on one line, oldest first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple
from zlib import crc32

from croody_contract import ranges
from croody_contract.ranges import Ranges

_SHIFT: Final = 40
#: Greatest seq that a key can hold; at a thousand records a second it lasts for 34 years of one start.
TOP_SEQ: Final = (1 << _SHIFT) - 1


class Row(NamedTuple):
    """One record as it lies in the file. `low` marks what may be thinned."""

    key: int
    low: int
    crc: int
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A stream of this file: its place `n`, the stream before it, its last seq, and how many rows have left the file."""

    n: int
    id: str
    prev: str | None
    prev_last: int | None
    last: int
    removed: int

    @property
    def pending(self) -> int:
        """Rows still to be acknowledged."""
        return self.last - self.removed


def key_of(n: int, seq: int) -> int:
    """Where record `seq` of the stream at place `n` lies."""
    return (n << _SHIFT) | seq


def place_of(key: int) -> tuple[int, int]:
    """(n, seq) of a key."""
    return key >> _SHIFT, key & TOP_SEQ


def keys_of(row: StreamRow, spans: Iterable[tuple[int, int]]) -> Ranges:
    """Seqs of a stream as keys; what no key can hold is left out.

    Raises:
        ValueError: a range that ends before it begins.
    """
    inside = ranges.intersect(ranges.normalise(spans), ((1, TOP_SEQ),))
    return tuple((key_of(row.n, first), key_of(row.n, last)) for first, last in inside)


def checksum(key: int, low: int, body: bytes) -> int:
    """What tells a flipped bit: SQLite itself keeps no checksum outside its WAL."""
    return crc32(body, crc32(b"%d %d" % (key, low)))


def sound(row: Row) -> bool:
    """Say whether a row is what was written; a damaged file may hold values of any type."""
    try:
        return row.crc == checksum(row.key, row.low, row.body)
    except TypeError:
        return False
