"""VDA 5050, as vehicles speak it: topics, and what `state`, `visualization`, `connection` and `factsheet` say. Pure.

Versions 1.1 to 3.0: a field that has another name from 3.0 on is looked for under both. What is not of its type is left out; a message
costs no more than its nonsense. `Said` is neither reading nor event of Croody's: who listens makes those of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import degrees, hypot, isfinite
from re import compile as pattern
from typing import Any, Final, Literal, NamedTuple

from croody_contract.topics import ROOT

#: Largest message that is read, bytes: a state with hundreds of nodes has some tens of thousands.
MAX_BYTES: Final = 512 * 1024
#: Subtopics that a vehicle sends and Croody reads.
SUBTOPICS: Final = ("state", "visualization", "connection", "factsheet")
#: What the cloud listens to at its own broker, of vehicles of any interface name.
FILTERS: Final = tuple(f"+/+/+/+/{name}" for name in SUBTOPICS)
#: Errors and failed actions of one message that are looked at.
_MOST: Final = 100
_SERIAL: Final = pattern(r"[A-Za-z0-9_.:-]{1,128}")
_INTERFACE: Final = pattern(r"[A-Za-z0-9_.:-]{1,64}")
_OURS: Final = ROOT.partition("/")[0]
_VERSION: Final = pattern(r"v[0-9]{1,3}")
Severity = Literal["low", "medium", "high", "critical"]
#: `URGENT` and `CRITICAL` exist from 3.0 on.
_LEVELS: Final[Mapping[str, Severity]] = {"WARNING": "medium", "URGENT": "high", "CRITICAL": "high", "FATAL": "critical"}


class Topic(NamedTuple):
    """`INTERFACE/vMAJOR/MANUFACTURER/SERIAL/SUBTOPIC`."""

    interface: str
    major: str
    manufacturer: str
    serial: str
    subtopic: str

    def __str__(self) -> str:
        return "/".join(self)


class BadMessage(ValueError):
    """Bytes that are no message of a VDA 5050 vehicle; the text says why."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now, by what it is called."""

    name: str
    severity: Severity
    detail: Mapping[str, object]


@dataclass(slots=True)
class Said:
    """What one message says. `data` may hold what no reading can carry.

    `troubles` is everything that is wrong, of a message that says so of its `about`; None of one that says nothing of that.
    """

    data: dict[str, object] = field(default_factory=dict)
    status: str | None = None
    troubles: list[Trouble] | None = None
    about: str = ""


def parse_topic(text: str) -> Topic | None:
    """A topic of a vehicle; None of any other."""
    parts = text.split("/")
    if len(parts) != 5:
        return None
    topic = Topic(*parts)
    # `croody/v1/ID/up/state` is a topic of ours, and of nobody.
    if topic.interface == _OURS:
        return None
    right = _VERSION.fullmatch(topic.major) and is_name(topic.manufacturer) and _SERIAL.fullmatch(topic.serial)
    return topic if right and topic.interface else None


def branch(interface: str, manufacturer: str, serial: str) -> str:
    """Below this a vehicle speaks and is spoken to, whatever version: a filter without its end.

    Raises:
        ValueError: a name that no rule of a broker can hold.
    """
    if not _SERIAL.fullmatch(manufacturer) or not _SERIAL.fullmatch(serial):
        raise ValueError(f"{manufacturer}/{serial}"[:80])
    if not _INTERFACE.fullmatch(interface) or interface == _OURS:
        raise ValueError(interface[:80])
    return f"{interface}/+/{manufacturer}/{serial}"


def is_name(text: str) -> bool:
    """Whether that can be a manufacturer: one level of a topic, and no wildcard."""
    return bool(text) and len(text) <= 128 and text.isprintable() and not set(text) & set("/+#$")


def is_serial(text: str) -> bool:
    """Whether that can be a serial number."""
    return _SERIAL.fullmatch(text) is not None


def parse(topic: Topic, payload: bytes) -> Said | None:
    """What a message says; None of a subtopic that is not read.

    Raises:
        BadMessage: no JSON object, too large, or of a vehicle other than its topic says: nobody speaks for another one.
    """
    read = _READ.get(topic.subtopic)
    if read is None:
        return None
    if len(payload) > MAX_BYTES:
        raise BadMessage(f"{len(payload)} bytes, most {MAX_BYTES}")
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {type(error).__name__}") from error
    if not isinstance(message, dict):
        raise BadMessage("no JSON object")
    for name, told in (("manufacturer", topic.manufacturer), ("serialNumber", topic.serial)):
        if name in message and message[name] != told:
            raise BadMessage(f"{name} is {str(message[name])[:64]!r} and its topic says {told!r}")
    return read(message)


def _state(message: Mapping[str, Any]) -> Said:
    power = _inner(message, "powerSupply", "batteryState")
    moving, paused, charging = message.get("driving"), message.get("paused"), power.get("charging")
    loads = [one for one in _items(message, "loads") if isinstance(one, dict)]
    actions = list(_actions(message))
    found = Said(
        {
            "battery_pct": _number(power, "stateOfCharge", "batteryCharge"),
            "battery_v": _number(power, "batteryVoltage"),
            "battery_a": _number(power, "batteryCurrent"),
            "battery_health_pct": _number(power, "batteryHealth"),
            "charging": _truth(charging),
            "range_m": _number(power, "range", "reach"),
            "driving": _truth(moving),
            "paused": _truth(paused),
            "operating_mode": _word(message.get("operatingMode")),
            "order_id": _text(message.get("orderId")),
            "last_node": _text(message.get("lastNodeId")),
            "nodes_left": len(_items(message, "nodeStates")) if "nodeStates" in message else None,
            "actions_running": sum(1 for one in actions if one.get("actionStatus") == "RUNNING"),
            "since_node_m": _number(message, "distanceSinceLastNode"),
            "loads": len(loads) if "loads" in message else None,
            "load_kg": sum(_number(one, "weight") or 0.0 for one in loads) if loads else None,
        }
        | _moving(message),
        status="moving" if moving is True else "paused" if paused is True else "charging" if charging is True else "idle",
        troubles=[*_errors(message), *_safety(message), *_failed(actions)],
        about="state",
    )
    found.data["errors"] = sum(1 for _ in _errors(message))
    return found


def _moving(message: Mapping[str, Any]) -> dict[str, object]:
    place, speed = _inner(message, "mobileRobotPosition", "agvPosition"), _inner(message, "velocity")
    theta, vx, vy, omega = _number(place, "theta"), _number(speed, "vx"), _number(speed, "vy"), _number(speed, "omega")
    score = _number(place, "localizationScore")
    return {
        "x_m": _number(place, "x"),
        "y_m": _number(place, "y"),
        "yaw_deg": None if theta is None else degrees(theta),
        "map": _text(place.get("mapId")),
        "localized": _truth(place.get("localized", place.get("positionInitialized"))),
        "localization_pct": None if score is None else 100 * score,
        "speed_mps": None if vx is None else hypot(vx, vy or 0.0),
        "turn_dps": None if omega is None else degrees(omega),
    }


def _connection(message: Mapping[str, Any]) -> Said:
    state = str(message.get("connectionState", "")).replace("_", "").upper()
    word = {"ONLINE": "online", "OFFLINE": "offline", "HIBERNATING": "hibernating", "CONNECTIONBROKEN": "broken"}.get(state)
    broken = [Trouble("connection broken", "high", {"connection": "broken"})] if word == "broken" else []
    return Said({"connection": word}, troubles=broken if word else None, about="connection")


def _factsheet(message: Mapping[str, Any]) -> Said:
    kind, body = _inner(message, "typeSpecification"), _inner(message, "physicalParameters")
    return Said(
        {
            "protocol": _text(message.get("version")),
            "series": _text(kind.get("seriesName")),
            "vehicle_class": _word(kind.get("mobileRobotClass", kind.get("agvClass"))),
            "kinematics": _word(kind.get("mobileRobotKinematics", kind.get("mobileRobotKinematic", kind.get("agvKinematic")))),
            "load_max_kg": _number(kind, "maximumLoadMass", "maxLoadMass"),
            "speed_max_mps": _number(body, "maximumSpeed", "speedMax"),
            "length_m": _number(body, "length"),
            "width_m": _number(body, "width"),
        }
    )


_READ: Final[Mapping[str, Callable[[Mapping[str, Any]], Said]]] = {
    "state": _state,
    "visualization": lambda message: Said(_moving(message)),
    "connection": _connection,
    "factsheet": _factsheet,
}


def _errors(message: Mapping[str, Any]) -> Iterator[Trouble]:
    for error in _items(message, "errors")[:_MOST]:
        if not isinstance(error, dict) or not _text(error.get("errorType")):
            continue
        references = [one for one in _items(error, "errorReferences")[:5] if isinstance(one, dict)]
        detail = {"error": error["errorType"], "level": _word(error.get("errorLevel"))}
        detail |= {"description": error.get("errorDescription"), "hint": error.get("errorHint")}
        detail |= {str(one.get("referenceKey")): one.get("referenceValue") for one in references}
        yield Trouble(error["errorType"], _LEVELS.get(str(error.get("errorLevel")), "medium"), detail)


def _safety(message: Mapping[str, Any]) -> Iterator[Trouble]:
    safety = _inner(message, "safetyState")
    stop = _word(safety.get("activeEmergencyStop", safety.get("eStop")))
    if stop not in (None, "none"):
        yield Trouble("emergency stop", "high", {"acknowledge": stop})
    if safety.get("fieldViolation") is True:
        yield Trouble("field violation", "medium", {})


def _failed(actions: list[Mapping[str, Any]]) -> Iterator[Trouble]:
    failed = [one for one in actions if one.get("actionStatus") == "FAILED"]
    if failed:
        last = failed[-1]
        said = last.get("actionResult", last.get("resultDescription"))
        yield Trouble("action failed", "medium", {"action": last.get("actionType"), "id": last.get("actionId"), "result": said})


def _actions(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in ("actionStates", "instantActionStates", "zoneActionStates"):
        yield from (one for one in _items(message, name) if isinstance(one, dict))


def _inner(message: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((found for name in names if isinstance(found := message.get(name), dict)), {})


def _items(message: Mapping[str, Any], name: str) -> list[Any]:
    found = message.get(name)
    return found if isinstance(found, list) else []


def _number(message: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        found = message.get(name)
        if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e15 and isfinite(found):
            return float(found)
    return None


def _text(found: object) -> str | None:
    return found if isinstance(found, str) and found else None


def _word(found: object) -> str | None:
    return found.lower() if isinstance(found, str) and found else None


def _truth(found: object) -> bool | None:
    return found if isinstance(found, bool) else None
