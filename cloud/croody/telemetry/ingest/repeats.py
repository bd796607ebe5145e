"""Which plain readings came before. Pure: knows numbers and marks, no database.

A reading without a seq of its own cannot be told from another with the same bytes, and a constant value is many readings. So a
repeat is known by how it was delivered: by its number in the run of a bridge that sends a relay again, or, when the broker
says that it delivers it again, by packet id, robot and bytes together.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from croody_contract import ranges
from croody_contract.ranges import EMPTY, Ranges
from croody_contract.relay import PlainItem

_MARK_BYTES: Final = 8
_ranges = msgspec.json.Decoder(list[tuple[int, int]])


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """How a plain reading came; see `relay.PlainItem`. `mark`: empty when its broker wants no acknowledgement."""

    number: int
    mark: bytes
    again: bool


def delivered(item: PlainItem, digest: str) -> Delivered | None:
    """Of a reading with the hash `digest`; None for one of a bridge that numbers nothing."""
    if not item.number:
        return None
    text = f"{item.packet}/{item.robot_id}/{digest}"
    mark = hashlib.blake2b(text.encode(), digest_size=_MARK_BYTES).digest() if item.packet else b""
    return Delivered(item.number, mark, item.again)


class Repeats:
    """Judges the deliveries of one relay, and keeps what is to be noted of it.

    Args:
        have: what the run has stored, as `noted` has written it; None for a run that is new.
        floor: below it everything is done with.
        marks: asked once, and only when the broker delivers something again.
    """

    def __init__(self, have: str | None, floor: int, marks: Callable[[], Collection[bytes]]) -> None:
        self._have: Ranges = tuple(_ranges.decode(have)) if have is not None else EMPTY
        self._floor = floor
        self._newest = ranges.last(self._have)
        self._ask = marks
        self._marks: Collection[bytes] | None = None
        self._numbers: list[int] = []
        self._fresh: list[bytes] = []

    def among(self, came: Sequence[Delivered | None]) -> set[int]:
        """Which of these are stored already, as indices. Each delivery is asked about once."""
        found = set()
        for index, one in enumerate(came):
            if one is None:
                continue
            self._numbers.append(one.number)
            if (one.number <= self._newest or one.again) and self._is_repeat(one):
                found.add(index)
            else:
                self._fresh.append(one.mark)
        return found

    def _is_repeat(self, one: Delivered) -> bool:
        if ranges.contains(self._have, one.number):
            return True
        if not (one.again and one.mark):
            return False
        if self._marks is None:
            self._marks = self._ask()
        return one.mark in self._marks

    def noted(self) -> tuple[str, bytes]:
        """What the run has stored now, as text, and the marks of what is new, joined."""
        have = ranges.union(self._have, ranges.of(self._numbers))
        if self._floor > 1:
            # All below is done with, holes too. A first try that the API comes to only now, after the second, holds such numbers.
            have = ranges.union(have, ((1, self._floor - 1),))
        return msgspec.json.encode(have).decode(), b"".join(self._fresh)
