"""Log lines that an attacker cannot turn into a flood: each kind from each sender once a minute, then a count."""

import logging
from collections import OrderedDict
from typing import Final

log = logging.getLogger("croody.broker")

_QUIET_S: Final = 60.0
_MAX_REMEMBERED: Final = 1000


class Complaints:
    """Remembers what was said lately, and how often it was not."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def say(self, kind: str, who: str, text: str, now: float) -> None:
        """Log `text` about `who`, unless the same `kind` was logged in the last minute. `now`: monotonic seconds."""
        key = (kind, who)
        last, held_back = self._said.get(key, (-_QUIET_S, 0))
        if now - last < _QUIET_S:
            self._said[key] = (last, held_back + 1)
            return
        log.warning("%s: %s%s", who, text, f" (and {held_back} times more in between)" if held_back else "")
        self._said[key] = (now, 0)
        self._said.move_to_end(key)
        if len(self._said) > _MAX_REMEMBERED:
            self._said.popitem(last=False)
