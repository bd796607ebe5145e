"""One vehicle on a MAVLink link: its messages, one by one -> readings at a pace, and events. Pure: `now` and clocks are arguments.

A link may carry several systems. The first autopilot that is heard is the vehicle, or the one that the settings name; others are
passed over. A vehicle sends its state in many small messages: they are gathered, and a reading an interval has what was said in it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from typing import Any, Final

from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event, Position, Reading
from croody_contract.values import metrics
from croody_edge.sources.mavlink.decode import said, unhealthy
from croody_edge.sources.mavlink.texts import Texts

#: `MAV_AUTOPILOT_INVALID`: a ground station, a camera, a companion computer.
_NO_AUTOPILOT: Final = 8
#: Named when the log speaks of them.
_MOST_OTHERS: Final = 16
#: Position from the raw receiver counts only while none of the estimator's is younger than this, seconds.
_FRESH_S: Final = 3.0
#: Without a heartbeat for so long the vehicle is silent, seconds; it sends one a second.
SILENT_S: Final = 5.0


class Vehicle:
    """What is known of it, and what of it has not been handed over yet."""

    def __init__(self, names: Callable[[str, int], str], *, system: int, interval_s: float) -> None:
        """Args: `names` as for `decode.said`; `system` is its MAVLink id, 0: the first autopilot heard; `interval_s` between readings."""
        self.system = system
        self._names, self._interval_s = names, interval_s
        self._data: dict[str, object] = {}
        self._position: Position | None = None
        self._status: str | None = None
        self._estimated_s = -inf
        self._due_s = 0.0
        self._heard_s: float | None = None
        self._silent = False
        self._unhealthy: tuple[str, ...] = ()
        #: When either was told last.
        self._silent_told_s = self._unhealthy_told_s = -inf
        self._texts = Texts()
        #: Other autopilots on the link.
        self.others: set[int] = set()
        #: Nothing but heartbeats was heard so far.
        self.bare = True

    def take(self, message: Any, now: float, mono_s: float) -> list[Event]:
        """Gather what it says; events that it is reason for.

        Args:
            message: as pymavlink decodes it.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
        """
        kind, system = message.get_type(), message.get_srcSystem()
        autopilot = kind == "HEARTBEAT" and message.autopilot != _NO_AUTOPILOT
        if not self.system and autopilot:
            self.system = system
        if system != self.system or (kind == "HEARTBEAT" and not autopilot):
            if autopilot and len(self.others) < _MOST_OTHERS:
                self.others.add(system)
            return []
        if kind == "HEARTBEAT":
            return self._beat(message, now, mono_s)
        if kind == "STATUSTEXT":
            return self._texts.take(message.severity, message.text, message.id, message.chunk_seq, now, mono_s)
        self.bare = False
        self._gather(message, mono_s)
        return self._health(message, now, mono_s) if kind == "SYS_STATUS" else []

    def due(self, now: float, mono_s: float) -> Reading | None:
        """The reading of this interval, when it is over and something was said in it."""
        if mono_s < self._due_s or not (self._data or self._position):
            return None
        data = metrics(self._data, 3)
        reading = Reading(data=data, ts=datetime.fromtimestamp(now, UTC), position=self._position, status=self._status)
        self._data, self._position = {}, None
        self._due_s = max(self._due_s + self._interval_s, mono_s)
        return reading

    def look(self, now: float, mono_s: float) -> list[Event]:
        """Events that are due because nothing was said."""
        events = self._texts.due(now, mono_s)
        if self._heard_s is not None and mono_s - self._heard_s > SILENT_S and mono_s - self._silent_told_s >= SAID_AGAIN_S:
            self._silent, self._silent_told_s = True, mono_s
            events.append(_event("mavlink_silent", now, severity="high", detail={"system": self.system}))
        return events

    def _beat(self, message: Any, now: float, mono_s: float) -> list[Event]:
        self._heard_s = mono_s
        self._gather(message, mono_s)
        if not self._silent:
            return []
        self._silent, self._silent_told_s = False, -inf
        return [_event("mavlink_silent", now, detail={"system": self.system}, over=True)]

    def _gather(self, message: Any, mono_s: float) -> None:
        found = said(message, self._names)
        if found is None:
            return
        self._data |= {name: value for name, value in found.data.items() if value is not None and value != ""}
        self._status = found.status or self._status
        if found.position is None:
            return
        estimated = message.get_type() == "GLOBAL_POSITION_INT"
        if estimated:
            self._estimated_s = mono_s
        if estimated or mono_s - self._estimated_s > _FRESH_S:
            self._position = found.position

    def _health(self, message: Any, now: float, mono_s: float) -> list[Event]:
        before, self._unhealthy = self._unhealthy, unhealthy(message, self._names)
        again = bool(before) and mono_s - self._unhealthy_told_s >= SAID_AGAIN_S
        if self._unhealthy == before and not again:
            return []
        self._unhealthy_told_s = mono_s
        if not self._unhealthy:
            return [_event("mavlink_unhealthy", now, over=True)]
        return [_event("mavlink_unhealthy", now, severity="high", detail={"sensors": ", ".join(self._unhealthy)})]


def _event(code: str, now: float, **more: Any) -> Event:
    return Event(code=code, ts=datetime.fromtimestamp(now, UTC), **more)
