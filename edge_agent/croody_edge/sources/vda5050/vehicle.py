"""Messages of one VDA 5050 vehicle -> readings, and events that begin and end. Pure but for its memory; `now` is an argument."""

import re
from datetime import UTC, datetime
from typing import Final

from croody_contract import vda5050
from croody_contract.messages import Event, Reading
from croody_edge.sources import Said
from croody_edge.sources.values import metrics

#: Different things that may be wrong with a vehicle at a time, each an alarm of its own.
MOST: Final = 100
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Vehicle:
    """What it said last, as far as it decides what is new."""

    def __init__(self) -> None:
        #: What a message is about -> code of an event -> its severity.
        self._wrong: dict[str, dict[str, str]] = {}
        self._factsheet: dict[str, object] = {}

    def take(self, topic: vda5050.Topic, payload: bytes, now: float) -> list[Said]:
        """What a message is reason for. `now` is unix seconds.

        Raises:
            vda5050.BadMessage: it is none of this vehicle's.
        """
        found = vda5050.parse(topic, payload)
        if found is None:
            return []
        said: list[Said] = [*self._events(found, now)] if found.troubles is not None else []
        if topic.subtopic == "factsheet":
            if found.data == self._factsheet:
                return said
            self._factsheet = found.data
        data = metrics({name: value for name, value in found.data.items() if value is not None})
        if data:
            said.append(Reading(data=data, ts=datetime.fromtimestamp(now, UTC), status=found.status))
        return said

    def _events(self, found: vda5050.Said, now: float) -> list[Event]:
        moment = datetime.fromtimestamp(now, UTC)
        before = self._wrong.get(found.about, {})
        wrong: dict[str, str] = {}
        events = []
        for trouble in found.troubles or ():
            code = code_of(trouble.name)
            if code in wrong or len(wrong) >= MOST:
                continue
            wrong[code] = trouble.severity
            if before.get(code) != trouble.severity:
                events.append(Event(code=code, ts=moment, severity=trouble.severity, detail=metrics(trouble.detail)))
        events += [Event(code=code, ts=moment, over=True) for code in before if code not in wrong]
        self._wrong[found.about] = wrong
        return events


def code_of(name: str) -> str:
    """The code of what is called so: `LOCALIZATION_ERROR`, `orderError` -> `vda_localization_error`, `vda_order_error`."""
    word = _NO_WORD.sub("_", _CAMEL.sub("_", name).lower()).strip("_")
    return f"vda_{word or 'error'}"[:64].rstrip("_")
