"""The last lines of this process' own log, in memory: what a person is shown who asks for them. Bounded; writes nothing anywhere."""

import logging
from collections import deque
from datetime import UTC, datetime
from typing import Final

from croody_contract.limits import MAX_TEXT_CHARS
from croody_contract.printable import printable

#: Lines that are remembered, whoever wrote them.
KEPT: Final = 500
#: The logger above all of ours.
_ROOT: Final = "croody"


class RecentLog(logging.Handler):
    """Keeps lines as text. Safe from any thread: a deque drops its oldest by itself."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[str] = deque(maxlen=KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line; one that cannot be written as text is no reason to stop."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        self._lines.append(f"{at} {record.levelname} {record.name} {printable(text)}"[:MAX_TEXT_CHARS])

    def last(self, count: int) -> list[str]:
        """The last lines, oldest first."""
        return list(self._lines)[-count:]


recent = RecentLog()


def remember() -> None:
    """From now on; again changes nothing."""
    logging.getLogger(_ROOT).addHandler(recent)
