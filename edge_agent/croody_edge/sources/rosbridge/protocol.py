"""rosbridge's protocol, version 2: JSON texts over WebSocket. Pure: makes what is sent and reads what came; knows no socket.

Bytes come as base64, and NaN as null or as the word that JSON does not have. Pieces (`fragment`) and PNG are not asked for.
"""

import json
from typing import Any, Final, NamedTuple

#: Longest text that is read, bytes: a picture of 44 KiB in base64 is far below.
MAX_BYTES: Final = 1024 * 1024
_TYPE_OF: Final = "/rosapi/topic_type"


class Published(NamedTuple):
    """A message on a topic."""

    topic: str
    message: dict[str, Any]


class TypeOf(NamedTuple):
    """What messages a topic carries; empty: nobody publishes it."""

    topic: str
    kind: str


class Complaint(NamedTuple):
    """What the bridge has to say against something we asked."""

    text: str


def subscribe(topic: str, kind: str, every_s: float) -> str:
    """Ask for a topic; `kind` may be empty, then the bridge looks it up."""
    asked: dict[str, Any] = {"op": "subscribe", "id": f"subscribe:{topic}", "topic": topic, "throttle_rate": int(1000 * every_s)}
    return json.dumps(asked | ({"type": kind} if kind else {}))


def ask_type(topic: str) -> str:
    """Ask what a topic carries."""
    return json.dumps({"op": "call_service", "id": f"type:{topic}", "service": _TYPE_OF, "args": {"topic": topic}})


def parse(text: str | bytes) -> Published | TypeOf | Complaint | None:
    """What the bridge says; None of what is not for us.

    Raises:
        ValueError: no JSON object, or one of another shape.
    """
    try:
        whole = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(whole, dict):
        raise ValueError("no object")
    match whole:
        case {"op": "publish", "topic": str(topic), "msg": dict(message)}:
            return Published(topic, message)
        case {"op": "service_response", "id": str(name), "values": {"type": str(kind)}} if name.startswith("type:"):
            return TypeOf(name.removeprefix("type:"), _full(kind))
        case {"op": "service_response", "id": str(name), "result": False} if name.startswith("type:"):
            return TypeOf(name.removeprefix("type:"), "")
        case {"op": "status", "level": "error" | "warning", "msg": str(said)}:
            return Complaint(said)
        case {"op": "publish"}:
            raise ValueError("a publish without topic or msg")
        case _:
            return None


def _full(kind: str) -> str:
    """`sensor_msgs/BatteryState`, as ROS 1 says it, is `sensor_msgs/msg/BatteryState`."""
    package, _, name = kind.replace("/msg/", "/").partition("/")
    return f"{package}/msg/{name}" if name else ""
