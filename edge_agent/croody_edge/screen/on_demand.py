"""Which screen a robot gets, with the first reading that tells: the model that ships, where it knows what the robot measures; for any other
robot what is learned of its own. Until then, and where neither may be, it costs nothing.
"""

import logging
from collections.abc import Callable, Iterator
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

    def __init__(self, load: Callable[[], Screen | None], learned: Callable[[bool], Screen | None] | None = None) -> None:
        """Each makes a screen, or None when this machine cannot run one, which it says itself; called once at most.

        Args:
            load: over what the shipped model knows.
            learned: over whatever the robot measures; given whether it scores all metrics together, or leaves that to the shipped model.
                None where nothing may be learned: a robot that the model does not know is then not screened, which is said once in its log.
        """
        self._load, self._learn = load, learned
        self._screens: list[Screen] = []
        self._loaded = False
        self._unknown = 0

    @property
    def note(self) -> str:
        """See `Screen.note`. A robot that no screen is for is not one that should be screened."""
        return self._screens[0].note if self._screens else ""

    def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
        """See `Screen.offer`."""
        if not self._loaded:
            absent = [name for name in METRICS if name not in reading.data]
            if absent:
                self._unknown += 1
                if self._unknown < _GIVE_UP or (self._learn is None and self._unknown > _GIVE_UP):
                    return None, []
                if self._learn is None:
                    why = text("screen.unknown", known=", ".join(METRICS), absent=", ".join(absent))
                    log.info("%s", text("screen.off", why=why))
                    return None, []
            self._loaded = True
            self._screens = [one for one in self._for(known=not absent) if one is not None]
        score: float | None = None
        records: list[Record] = []
        for screen in self._screens:
            found, said = screen.offer(reading, now)
            score, records = (found if score is None else score), [*records, *said]
        return score, records

    def kept(self) -> None:
        """See `Screen.kept`."""
        for screen in self._screens:
            screen.kept()

    def _for(self, *, known: bool) -> Iterator[Screen | None]:
        first = self._load() if known else None
        yield first
        if self._learn is not None:
            yield self._learn(first is None)
