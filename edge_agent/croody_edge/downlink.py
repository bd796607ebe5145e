"""What the cloud asks of a robot, decided purely: is it still wanted, is it known, and which records can be sent again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from croody_contract import ranges
from croody_contract.messages import Answer, Outgoing, Resend, Tombstone
from croody_contract.ranges import Ranges
from croody_edge import thin
from croody_edge.rows import TOP_SEQ

#: Every kind this agent can do.
KINDS: Final = ("resend",)


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


def stones(asked: Ask, held: Ranges, now: float) -> list[Tombstone]:
    """Declare what was asked for and is not there."""
    moment = datetime.fromtimestamp(now, UTC)
    lost = ranges.subtract(asked.spans, held)
    return [Tombstone(stream=asked.stream, ranges=list(piece), reason="unknown", ts=moment) for piece in thin.chunks(lost)]
