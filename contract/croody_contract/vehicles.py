"""Messages of one VDA 5050 vehicle -> readings, and events that begin and end. Pure but for its memory; `now` is an argument."""

import re
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct, field, structs

from croody_contract import vda5050
from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event, MetricInfo, Reading, Value
from croody_contract.values import metrics

#: Different things that may be wrong with a vehicle at a time, each an alarm of its own.
MOST: Final = 100
#: What was said of a vehicle is true for so long, seconds: by the standard it says its state twice in that time.
STALE_S: Final = 65.0
#: What a topic that the standard wants retained says is true until it says something else.
_LASTING: Final = frozenset({"connection"})
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: What its values are.
METRICS: Final = (
    MetricInfo("battery_pct", "%", "Batería", "Battery", decimals=0),
    MetricInfo("battery_v", "V", "Tensión de la batería", "Battery voltage", decimals=1),
    MetricInfo("charging", es="Cargando", en="Charging", type="switch"),
    MetricInfo("range_m", "m", "Alcance", "Range", decimals=0),
    MetricInfo("driving", es="En marcha", en="Driving", type="switch"),
    MetricInfo("paused", es="En pausa", en="Paused", type="switch"),
    MetricInfo("operating_mode", es="Modo", en="Operating mode", type="text"),
    MetricInfo("order_id", es="Orden", en="Order", type="text"),
    MetricInfo("last_node", es="Último nodo", en="Last node", type="text"),
    MetricInfo("nodes_left", "", "Nodos por delante", "Nodes left", decimals=0),
    MetricInfo("actions_running", "", "Acciones en curso", "Actions running", decimals=0),
    MetricInfo("loads", "", "Cargas a bordo", "Loads on board", decimals=0),
    MetricInfo("load_kg", "kg", "Peso de la carga", "Load", decimals=0),
    MetricInfo("errors", "", "Errores", "Errors", decimals=0),
    MetricInfo("x_m", "m", "Posición x", "Position x", decimals=2),
    MetricInfo("y_m", "m", "Posición y", "Position y", decimals=2),
    MetricInfo("yaw_deg", "°", "Orientación", "Orientation", decimals=0),
    MetricInfo("map", es="Plano", en="Map", type="text"),
    MetricInfo("localized", es="Localizado", en="Localized", type="switch"),
    MetricInfo("speed_mps", "m/s", "Velocidad", "Speed", decimals=2),
    MetricInfo("turn_dps", "°/s", "Giro", "Turn rate", decimals=1),
    MetricInfo("connection", es="Conexión", en="Connection", type="text"),
)


class Memory(Struct):
    """What a vehicle said last, as far as it decides what is new. As long as what is wrong with it: `MOST` words, and a few values."""

    #: What a message is about -> code of an event -> its severity.
    wrong: dict[str, dict[str, str]] = field(default_factory=dict)
    #: The same -> code -> when it was told, seconds of the clock that `Vehicle.take` is given.
    told_s: dict[str, dict[str, float]] = field(default_factory=dict)
    factsheet: dict[str, Value] = field(default_factory=dict)
    #: Values as of when they were said, unix seconds.
    said: dict[str, tuple[Value, float]] = field(default_factory=dict)
    status: str | None = None
    status_at: float = 0.0


class Vehicle:
    """One of them, with its memory."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()

    def take(self, topic: vda5050.Topic, payload: bytes, now: float, mono_s: float | None = None) -> list[Event | Reading]:
        """What a message is reason for.

        Args:
            topic: where it came.
            payload: its body.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps, for a memory that no restart outlives; without it, `now` counts.

        Raises:
            vda5050.BadMessage: it is none of this vehicle's.
        """
        found = vda5050.parse(topic, payload)
        if found is None:
            return []
        said: list[Event | Reading] = [*self._events(found, now, now if mono_s is None else mono_s)] if found.troubles is not None else []
        data = metrics({name: value for name, value in found.data.items() if value is not None})
        if topic.subtopic == "factsheet":
            if data == self.memory.factsheet:
                return said
            self.memory.factsheet = data
        if data:
            said.append(Reading(data=data, ts=datetime.fromtimestamp(now, UTC), status=found.status))
        return said

    def whole(self, reading: Reading, now: float) -> Reading:
        """A reading of it, with what it said of other things a moment ago: one message says only some. `now` is unix seconds."""
        memory = self.memory
        kept = {name: one for name, one in memory.said.items() if name in _LASTING or now - one[1] <= STALE_S}
        memory.said = kept | {name: (value, now) for name, value in reading.data.items()}
        if reading.status is not None:
            memory.status, memory.status_at = reading.status, now
        status = memory.status if now - memory.status_at <= STALE_S else None
        return structs.replace(reading, data={name: value for name, (value, _) in memory.said.items()}, status=status)

    def _events(self, found: vda5050.Said, now: float, at_s: float) -> list[Event]:
        moment = datetime.fromtimestamp(now, UTC)
        before = self.memory.wrong.get(found.about, {})
        told_s, wrong = self.memory.told_s.get(found.about, {}), dict[str, str]()
        events = []
        for trouble in found.troubles or ():
            code = code_of(trouble.name)
            if code in wrong or len(wrong) >= MOST:
                continue
            wrong[code] = trouble.severity
            # A clock that was put back says it again rather than never.
            again = abs(at_s - told_s.get(code, float("-inf"))) >= SAID_AGAIN_S
            if again or before.get(code) != trouble.severity:
                told_s[code] = at_s
                events.append(Event(code=code, ts=moment, severity=trouble.severity, detail=metrics(trouble.detail)))
        events += [Event(code=code, ts=moment, over=True) for code in before if code not in wrong]
        self.memory.wrong[found.about] = wrong
        self.memory.told_s[found.about] = {code: told_s[code] for code in wrong}
        return events


def code_of(name: str) -> str:
    """The code of what is called so: `LOCALIZATION_ERROR`, `orderError` -> `vda_localization_error`, `vda_order_error`."""
    word = _NO_WORD.sub("_", _CAMEL.sub("_", name).lower()).strip("_")
    return f"vda_{word or 'error'}"[:64].rstrip("_")
