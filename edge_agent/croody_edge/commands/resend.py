"""What the cloud asks of a robot, decided purely: is it still wanted, is it known, which records can be sent again, which are lost."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from croody_contract import ranges
from croody_contract.messages import Answer, Outgoing, Resend, Tombstone
from croody_contract.ranges import Ranges
from croody_edge.outbox import thinning
from croody_edge.outbox.keys import TOP_SEQ

#: Every kind this agent can do.
KINDS: Final = ("resend",)
#: Between the two requests after which what is not here is lost, seconds; the cloud asks again after a minute.
_CERTAIN_AFTER_S: Final = 20.0
#: Streams with open doubts that are remembered; a cloud asks for a few at most.
_DOUBTS_KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to send these seqs of a stream again; seqs that cannot exist yet are left out."""

    stream: str
    spans: Ranges


def judge(outgoing: Outgoing, now: float) -> Answer | None:
    """The answer to what is not to be done at all; None when it is to be done.

    Sending again changes nothing and is never too late: a robot whose clock is years ahead must be able to close its gaps.
    """
    if outgoing.kind not in KINDS:
        return Answer(state="refused", detail=f"kind {outgoing.kind!r} is unknown here: this agent knows {', '.join(KINDS)}")
    if outgoing.kind != "resend" and outgoing.expires_at.timestamp() <= now:
        return Answer(
            state="expired",
            detail=f"it expired at {outgoing.expires_at.isoformat()}, here it is {datetime.fromtimestamp(now, UTC).isoformat()}",
        )
    return None


def ask(outgoing: Outgoing, current: str, last: int) -> Ask:
    """Read a `resend`.

    Args:
        outgoing: of kind `resend`.
        current: the stream that grows.
        last: its last seq; what lies beyond has not been written and must not be declared lost.

    Raises:
        ValueError: the payload is no `Resend`.
    """
    try:
        payload = msgspec.convert(outgoing.payload, Resend)
    except msgspec.ValidationError as error:
        raise ValueError(f"payload: {error}") from error
    spans = ranges.intersect(ranges.normalise(payload.ranges), ((1, last if payload.stream == current else TOP_SEQ),))
    return Ask(payload.stream, spans)


def stones(stream: str, lost: Ranges, now: float) -> list[Tombstone]:
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
