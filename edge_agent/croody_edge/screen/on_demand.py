"""A screen that loads its model with the first reading that the model can look at. Until then, and for other robots, it costs nothing.

A robot whose readings the model does not know is not screened, which is said once in its log.
"""

import logging
from collections.abc import Callable
from typing import Final

from croody_contract.messages import Reading, Record
from croody_contract.windows import METRICS
from croody_edge.screen import Screen
from croody_edge.texts import text

log = logging.getLogger("croody.screen")

#: So many readings in a row without what the model knows, and it is said that this robot is not screened.
_GIVE_UP: Final = 5


class ScreenOnDemand:
    """A `Screen` that is not there until it is needed."""

    def __init__(self, load: Callable[[], Screen | None]) -> None:
        """Args: `load` makes the screen, or None when this machine cannot run one, which it says itself; called once at most."""
        self._load = load
        self._screen: Screen | None = None
        self._loaded = False
        self._unknown = 0

    @property
    def note(self) -> str:
        """See `Screen.note`. A robot that the model does not know is not one that should be screened."""
        return self._screen.note if self._screen is not None else ""

    def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
        """See `Screen.offer`."""
        if not self._loaded:
            absent = [name for name in METRICS if name not in reading.data]
            if absent:
                self._unknown += 1
                if self._unknown == _GIVE_UP:
                    why = text("screen.unknown", known=", ".join(METRICS), absent=", ".join(absent))
                    log.info("%s", text("screen.off", why=why))
                return None, []
            self._loaded = True
            self._screen = self._load()
        return self._screen.offer(reading, now) if self._screen is not None else (None, [])
