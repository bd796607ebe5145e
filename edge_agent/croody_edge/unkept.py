"""What was taken from the sources and is in no outbox yet, because that takes nothing now: it waits, oldest first, and is tried again."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import ENOSPC
from typing import Final

from croody_edge.faults import Faults
from croody_edge.outbox.encoding import Encoded

#: Records that wait, and a tenth more of what may never be thinned.
_MOST: Final = 1000
_RESERVE: Final = 1.1
#: So many are tried together, so often, seconds.
_GROUP: Final = 200
AGAIN_S: Final = 0.25
#: An outbox that takes none for longer is told to the cloud before it is over, where an event still finds a place, seconds.
_LASTS_S: Final = 10.0


class Unkept:
    """Of one agent, for one thread. False when nothing waits."""

    def __init__(self, put: Callable[[Sequence[Encoded]], object], faults: Faults) -> None:
        """Args: `put` keeps records, all or none, and raises OSError when it cannot; `faults` hears of that, and of what is lost."""
        self._put, self._faults = put, faults
        self._waiting: list[Encoded] = []
        self._again_s = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def low(self) -> bool:
        """Whether nothing waits but what may be thinned."""
        return all(one.low for one in self._waiting)

    def add(self, records: Sequence[Encoded]) -> None:
        """Let them wait; what is too many is counted, and lost."""
        lost = 0
        for record in records:
            if len(self._waiting) < (_MOST if record.low else _MOST * _RESERVE):
                self._waiting.append(record)
            else:
                lost += 1
        if lost:
            self._faults.raised("outbox_refused", "medium", f"more than {_MOST} records waited for the outbox", lost)

    def put_in(self, mono_s: float) -> bool:
        """Try all, unless that was done a moment ago. Says whether some waited, and are in the outbox."""
        return bool(self._waiting) and mono_s >= self._again_s and self._all(mono_s)

    def end(self, mono_s: float) -> int:
        """Try all for the last time. Says how many are lost."""
        if self._waiting and not self._all(mono_s):
            self._faults.raised("outbox_refused", "medium", "the agent ended before it was taken", len(self._waiting))
        return len(self._waiting)

    def _all(self, mono_s: float) -> bool:
        try:
            while self._waiting:
                self._put(self._waiting[:_GROUP])
                del self._waiting[:_GROUP]
        except OSError as error:
            self._again_s = mono_s + AGAIN_S
            if error.errno == ENOSPC:
                self._events()
            self._faults.raised("outbox_refused", "medium", str(error), 0, lasts_s=_LASTS_S)
            return False
        self._again_s = 0.0
        self._faults.cleared("outbox_refused")
        return True

    def _events(self) -> None:
        """What may never be thinned, without the readings beside it: the outbox has a reserve for that."""
        with suppress(OSError):
            for one in [one for one in self._waiting if not one.low]:
                self._put([one])
                self._waiting.remove(one)
