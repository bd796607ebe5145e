"""`logs`: the last lines of the agent's own log, as a record of its stream. What does not fit is left out from the oldest on."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from croody_contract.limits import KIB
from croody_contract.messages import Answer, Log, Logs
from croody_edge.commands.table import Sender
from croody_edge.outbox.encoding import checked
from croody_edge.outbox.queue import Outbox
from croody_edge.recent_log import recent

#: Of all lines together, in bytes: with what JSON adds they fit into one record.
_MOST_BYTES: Final = 40 * KIB


class LogsCommand:
    """Puts them into the outbox, from where they go as everything else does."""

    #: Nobody waits for them any more.
    expires = True

    def __init__(self, outbox: Outbox, sender: Sender, last: Callable[[int], list[str]] = recent.last) -> None:
        self._outbox, self._sender, self._last = outbox, sender, last

    def do(self, payload: dict[str, Any], now: float, mono_s: float) -> Answer:
        """See `Command.do`."""
        try:
            asked = msgspec.convert(payload, Logs)
        except msgspec.ValidationError as error:
            raise ValueError(f"payload: {error}") from error
        lines = fitting(self._last(asked.lines))
        record = checked(Log(lines=lines, ts=datetime.fromtimestamp(now, UTC)))
        self._outbox.append([record], now, self._sender.protected)
        self._sender.grew()
        return Answer(state="done", detail=f"{len(lines)} lines, the last ones of this agent's log")


def fitting(lines: Sequence[str]) -> list[str]:
    """As many of the newest as one record holds, oldest first."""
    size, kept = 0, list[str]()
    for line in reversed(lines):
        size += len(msgspec.json.encode(line)) + 1
        if size > _MOST_BYTES:
            break
        kept.append(line)
    return kept[::-1]
