"""`resend`: which records can be sent again, and which are lost."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from croody_contract import ranges
from croody_contract.messages import Answer, Resend, Tombstone, encode
from croody_contract.ranges import Ranges
from croody_edge.commands.table import Sender
from croody_edge.outbox import thinning
from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import TOP_SEQ, key_of, keys_of
from croody_edge.outbox.queue import Outbox

#: Between the two requests after which what is not here is lost, seconds; the cloud asks again after a minute.
_CERTAIN_AFTER_S: Final = 20.0
#: Streams with open doubts that are remembered; a cloud asks for a few at most.
_DOUBTS_KEPT: Final = 100


class ResendCommand:
    """Sends records again, and declares lost what has not been here for long enough."""

    #: Sending again changes nothing and is never too late: a robot whose clock is years ahead must be able to close its gaps.
    expires = False

    def __init__(self, outbox: Outbox, sender: Sender) -> None:
        self._outbox, self._sender = outbox, sender
        self._doubts = Doubts()

    def do(self, payload: dict[str, Any], now: float, mono_s: float) -> Answer:
        """See `Command.do`."""
        current = self._outbox.current
        if current is None:
            return Answer(state="refused", detail="the outbox cannot be opened at the moment")
        asked = ask(payload, current.id, current.last)
        row = self._outbox.find(asked.stream)
        held: Ranges = ranges.EMPTY
        if row is not None:
            keys = [self._outbox.held(first, last, now) for first, last in keys_of(row, asked.spans)]
            there = ranges.normalise(span for spans in keys for span in spans)
            self._sender.again(there)
            base = key_of(row.n, 0)
            held = tuple((first - base, last - base) for first, last in there)
        absent = ranges.subtract(asked.spans, held)
        end, oldest = key_of(current.n, current.last), self._outbox.oldest(now)
        lost = self._doubts.certain(asked.stream, absent, end=end, oldest=oldest, mono_s=mono_s)
        if stones := tombstones(asked.stream, lost, now):
            self._outbox.append([Encoded(encode(stone), low=False) for stone in stones], now, self._sender.protected)
            self._sender.grew()
        detail = f"{ranges.count(held)} sent again, {ranges.count(absent)} not here, {ranges.count(lost)} of them declared lost"
        return Answer(state="done", detail=detail)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to send these seqs of a stream again; seqs that cannot exist yet are left out."""

    stream: str
    spans: Ranges


def ask(payload: dict[str, Any], current: str, last: int) -> Ask:
    """Read the payload of a `resend`.

    Args:
        payload: as it came.
        current: the stream that grows.
        last: its last seq; what lies beyond has not been written and must not be declared lost.

    Raises:
        ValueError: it is no `Resend`.
    """
    try:
        resend = msgspec.convert(payload, Resend)
    except msgspec.ValidationError as error:
        raise ValueError(f"payload: {error}") from error
    spans = ranges.intersect(ranges.normalise(resend.ranges), ((1, last if resend.stream == current else TOP_SEQ),))
    return Ask(resend.stream, spans)


def tombstones(stream: str, lost: Ranges, now: float) -> list[Tombstone]:
    """Declare records of a stream lost, in as many tombstones as it takes."""
    moment = datetime.fromtimestamp(now, UTC)
    return [Tombstone(stream=stream, ranges=list(piece), reason="unknown", ts=moment) for piece in thinning.chunks(lost)]


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What of a stream was not there, when that was (seconds), and the last key that the outbox held then."""

    lost: Ranges
    at_s: float
    end: int


class Doubts:
    """What was asked for and was not there, until it is certain that it is lost.

    A request is some moments old when it is read: what it names may have reached the cloud meanwhile and be gone from here for that
    very reason, or a tombstone that explains it may be further back in the queue. So nothing is declared lost before the cloud has
    asked for it a second time, and after all that lay in the outbox at the first time has been acknowledged.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Doubt] = {}

    def certain(self, stream: str, lost: Ranges, *, end: int, oldest: int | None, mono_s: float) -> Ranges:
        """Which of `lost` is lost for certain; the rest is remembered.

        Args:
            stream: the stream that was asked for.
            lost: its seqs that were asked for and are not here.
            end: the newest key in the outbox.
            oldest: the oldest record that still waits there; None when none does.
            mono_s: seconds of a clock that never jumps.
        """
        before = self._open.get(stream)
        if before is None:
            known = ranges.EMPTY
        elif mono_s < before.at_s + _CERTAIN_AFTER_S or (oldest is not None and oldest <= before.end):
            return ranges.EMPTY
        else:
            known = ranges.intersect(lost, before.lost)
        self._open.pop(stream, None)
        if rest := ranges.subtract(lost, known):
            self._open[stream] = _Doubt(rest, mono_s, end)
            if len(self._open) > _DOUBTS_KEPT:
                self._open.pop(next(iter(self._open)))
        return known
