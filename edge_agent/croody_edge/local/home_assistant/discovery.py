"""A robot as a device of Home Assistant: the document of its discovery, and the document of its state. Pure.

<https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>: one retained message on `PREFIX/device/ID/config` with device, origin and
components; an entity each, of which the state is a JSON document that all share.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from croody_contract.messages import MetricInfo, Value
from croody_edge.local.units import unit_of

Sort = Literal["number", "text", "switch"]

#: Entities of one robot; what comes beyond is left out.
MOST: Final = 100
#: Longest state that Home Assistant takes.
_MOST_CHARS: Final = 255
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
#: Unit -> device class that has it and takes the state class `measurement` (homeassistant/components/sensor/const.py).
_CLASSES: Final = {
    "°C": "temperature",
    "K": "temperature",
    "V": "voltage",
    "A": "current",
    "W": "power",
    "Hz": "frequency",
    "m": "distance",
    "mm": "distance",
    "km": "distance",
    "s": "duration",
    "ms": "duration",
    "kg": "weight",
    "g": "weight",
    "m/s": "speed",
    "km/h": "speed",
    "hPa": "pressure",
    "kPa": "pressure",
    "Pa": "pressure",
    "bar": "pressure",
    "lx": "illuminance",
    "dBm": "signal_strength",
    "B": "data_size",
    "B/s": "data_rate",
    "bit/s": "data_rate",
}


@dataclass(slots=True)
class Entities:
    """The entities of one robot: metric -> key of its entity, and what it is. Grows as metrics are seen, up to `MOST`."""

    infos: Mapping[str, MetricInfo]
    rules: tuple[str, ...] = ()
    language: Literal["es", "en"] = "en"
    _keys: dict[str, str] = field(default_factory=dict)
    _sorts: dict[str, Sort] = field(default_factory=dict)

    def saw(self, values: Mapping[str, Value]) -> bool:
        """Say whether an entity is new."""
        before = len(self._keys)
        for name, value in values.items():
            if name not in self._keys and len(self._keys) + len(self.rules) + len(_OWN) < MOST:
                self._keys[name] = self._free(_slug(name))
                self._sorts[name] = _sort(value, self.infos.get(name))
        return len(self._keys) > before

    def components(self, robot_id: str) -> dict[str, dict[str, Any]]:
        """`cmps`: key -> entity."""
        found = {key: self._entity(name, key) for name, key in self._keys.items()}
        found |= {f"rule_{_slug(rule)}": {"p": "binary_sensor", "name": rule, "device_class": "problem"} for rule in self.rules}
        found |= {key: dict(entity) for key, entity in _OWN.items()}
        for key, entity in found.items():
            entity |= {"unique_id": f"croody_{robot_id}_{key}", "value_template": f"{{{{ value_json['{key}'] }}}}"}
        return found

    def state(self, values: Mapping[str, Value], holds: Mapping[str, bool], *, reaches: bool, waiting: int) -> bytes:
        """What all entities are at, in one document: every key is in it, null where nothing is known.

        Args:
            values: metric -> value.
            holds: rule -> whether it does.
            reaches: something would reach the cloud now.
            waiting: records in the outbox.
        """
        said: dict[str, Any] = {key: _said(values.get(name), self._sorts[name]) for name, key in self._keys.items()}
        said |= {f"rule_{_slug(rule)}": _on(holds.get(rule)) for rule in self.rules}
        return msgspec.json.encode(said | {"cloud_link": _on(reaches), "records_waiting": waiting})

    def _free(self, slug: str) -> str:
        taken = {*self._keys.values(), *_OWN, *(f"rule_{_slug(rule)}" for rule in self.rules)}
        return next(key for key in (slug, *(f"{slug}_{number}" for number in range(2, 2 + MOST))) if key not in taken)

    def _entity(self, name: str, key: str) -> dict[str, Any]:
        info, sort = self.infos.get(name), self._sorts[name]
        label = (info.es if self.language == "es" else info.en) if info is not None else ""
        entity: dict[str, Any] = {"p": "binary_sensor" if sort == "switch" else "sensor", "name": label or name}
        if sort != "number":
            return entity
        unit = (info.unit if info is not None else "") or unit_of(name)
        entity["state_class"] = "measurement"
        if unit:
            entity["unit_of_measurement"] = unit
        if device_class := class_of(name, unit):
            entity["device_class"] = device_class
        if info is not None and info.decimals is not None:
            entity["suggested_display_precision"] = info.decimals
        return entity


#: What every robot has besides its metrics.
_OWN: Final[dict[str, dict[str, Any]]] = {
    "cloud_link": {"p": "binary_sensor", "name": "Croody", "device_class": "connectivity", "entity_category": "diagnostic"},
    "records_waiting": {"p": "sensor", "name": "Outbox", "state_class": "measurement", "entity_category": "diagnostic"},
}


def config(robot_id: str, version: str, components: Mapping[str, Any], *, state: str, availability: str) -> bytes:
    """The document of discovery.

    Args:
        robot_id: of the robot, which is the device's name.
        version: of the agent.
        components: entities by key.
        state: topic of the state document.
        availability: topic that says `online` or `offline`.
    """
    return msgspec.json.encode(
        {
            "dev": {"ids": [f"croody_{robot_id}"], "name": robot_id, "mf": "Croody", "mdl": "croody-edge", "sw": version},
            "o": {"name": "croody-edge", "sw": version},
            "cmps": components,
            "state_topic": state,
            "availability_topic": availability,
            "qos": 1,
        }
    )


def class_of(name: str, unit: str) -> str:
    """Home Assistant's word for what a metric measures; empty where it has none for this unit."""
    words = name.lower()
    if unit == "%":
        return "battery" if "battery" in words else "humidity" if words.startswith("hum") or "humidity" in words else ""
    return _CLASSES.get(unit, "")


def _sort(value: Value, info: MetricInfo | None) -> Sort:
    if info is not None and info.type != "number":
        return info.type
    return "switch" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _said(value: Value | None, sort: Sort) -> Any:
    """As Home Assistant reads it; null, which is unknown to it, where the value is none of its sort."""
    if value is None or value == "":
        return None
    if sort == "text":
        return str(value)[:_MOST_CHARS]
    if isinstance(value, str):
        return None
    return _on(bool(value)) if sort == "switch" else float(value) if isinstance(value, bool) else value


def _on(holds: bool | None) -> str | None:
    return None if holds is None else "ON" if holds else "OFF"


def _slug(name: str) -> str:
    """Lower-case letters, digits and `_`."""
    return _NO_WORD.sub("_", name.lower()).strip("_")[:64] or "value"
