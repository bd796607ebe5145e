"""What is done with a command, whatever its kind: is it known, is it still wanted, was it answered before. Knows no kind's own rules."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from croody_contract.messages import Answer, Outgoing, encode
from croody_contract.ranges import Ranges
from croody_edge.outbox.queue import Outbox


class Sender(Protocol):
    """What a command may ask of the transport."""

    @property
    def protected(self) -> Ranges:
        """Keys on their way: not to be thinned."""
        ...

    def again(self, keys: Ranges) -> None:
        """Send these records of the outbox again."""
        ...

    def grew(self) -> None:
        """The outbox has new records."""
        ...


class Command(Protocol):
    """One kind of command."""

    #: False when it may be done however late it comes.
    expires: bool

    def do(self, payload: dict[str, Any], now: float, mono_s: float) -> Answer:
        """Do it, or say why not.

        Args:
            payload: as it came.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.

        Raises:
            ValueError: the payload breaks a rule; the message is the answer.
            OSError: the outbox says no.
        """
        ...


class Commands:
    """Those that one agent can do."""

    def __init__(self, outbox: Outbox, kinds: Mapping[str, Command]) -> None:
        """Args: `outbox` remembers what was answered, also for the next start."""
        self._outbox, self._kinds = outbox, dict(kinds)

    def answer(self, outgoing: Outgoing, now: float, mono_s: float) -> bytes:
        """Do what was not done before. Returns the answer as it is sent; `received` is no last word, and is not remembered.

        Raises:
            OSError: the outbox says no; nothing was answered.
        """
        before = self._outbox.answered(outgoing.id, now)
        if before is not None:
            return before
        said = self._do(outgoing, now, mono_s)
        body = encode(said)
        if said.state != "received":
            self._outbox.answer(outgoing.id, body, now)
        return body

    def _do(self, outgoing: Outgoing, now: float, mono_s: float) -> Answer:
        command = self._kinds.get(outgoing.kind)
        if command is None:
            known = ", ".join(self._kinds) or "none"
            return Answer(state="refused", detail=f"kind {outgoing.kind!r} is unknown here: this agent knows {known}")
        if command.expires and outgoing.expires_at.timestamp() <= now:
            here = datetime.fromtimestamp(now, UTC).isoformat()
            return Answer(state="expired", detail=f"it expired at {outgoing.expires_at.isoformat()}, here it is {here}")
        try:
            return command.do(outgoing.payload, now, mono_s)
        except ValueError as error:
            return Answer(state="refused", detail=str(error)[:1000])
