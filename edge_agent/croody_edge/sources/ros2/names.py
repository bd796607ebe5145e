"""How ROS 2 spells topics and types on DDS. Pure; the rules are those of the ROS 2 design article "Topic and Service name mapping"."""

import re
from typing import Final

_TOPIC: Final = "rt"
_TYPE: Final = re.compile(r"([A-Za-z0-9_]+)::msg::dds_::([A-Za-z0-9_]+)_")


def dds_topic(name: str) -> str:
    """`/battery_state` -> `rt/battery_state`."""
    return f"{_TOPIC}{name}"


def ros_topic(name: str) -> str | None:
    """The other way; None of what is no topic: a service, an action, or another system's."""
    return name.removeprefix(_TOPIC) if name.startswith(f"{_TOPIC}/") else None


def dds_type(kind: str) -> str:
    """`sensor_msgs/msg/BatteryState` -> `sensor_msgs::msg::dds_::BatteryState_`."""
    package, _, name = kind.split("/")
    return f"{package}::msg::dds_::{name}_"


def ros_type(name: str) -> str | None:
    """The other way; None of what is no message."""
    match = _TYPE.fullmatch(name)
    return f"{match[1]}/msg/{match[2]}" if match else None
