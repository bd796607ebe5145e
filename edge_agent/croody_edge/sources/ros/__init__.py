"""What ROS 2 messages say of a robot, however they came: over DDS, through rosbridge, or from a recording.

Messages are objects with attributes (from CDR) or dictionaries (from JSON); `paths.at` looks into both.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from croody_contract.limits import MAX_METRICS, MAX_NAME_CHARS
from croody_contract.messages import MetricInfo
from croody_edge.texts import text

IMAGE: Final = "sensor_msgs/msg/CompressedImage"
_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One topic that is listened to: a table `[[source.topics]]`.

    Without `fields` the types that `known` has are read as it says. `fields` maps metrics to places in the message:
    `{ speed_mps = "twist.twist.linear.x", front_m = "ranges[0]" }`, of diagnostics to `"STATUS NAME/KEY"`.
    """

    name: Annotated[str, Meta(pattern=r"^/[A-Za-z0-9_~{}/]+$", max_length=256)]
    #: Empty: whatever its publisher says it is.
    type: Annotated[str, Meta(pattern=r"^([A-Za-z][A-Za-z0-9_]*/(msg/)?[A-Za-z][A-Za-z0-9_]*)?$", max_length=256)] = ""
    #: Before the names of the metrics, where two topics of a robot say the same.
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]*$", max_length=32)] = ""
    fields: Annotated[Mapping[_Name, str], Meta(max_length=MAX_METRICS)] = {}
    #: Of a camera; the topic's name without its slashes where it is empty.
    camera: Annotated[str, Meta(max_length=64)] = ""
    #: Messages that come sooner after the one before are passed over, seconds.
    every_s: Annotated[float, Meta(ge=0, le=86400)] = 0.0

    @property
    def full_type(self) -> str:
        """`package/msg/Name`, however it was written."""
        package, _, name = self.type.replace("/msg/", "/").partition("/")
        return f"{package}/msg/{name}" if name else ""


def check_topics(topics: tuple[Topic, ...]) -> None:
    """Hold the topics of a source to the rules that stand between them.

    Raises:
        ValueError: there are none, or two with the same metrics.
    """
    if not topics:
        raise ValueError(text("ros.no_topics"))
    names = [topic.name for topic in topics]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(text("ros.twice", name=twice))


METRICS: Final = (
    MetricInfo("battery_pct", "%", "Batería", "Battery", decimals=0),
    MetricInfo("battery_v", "V", "Tensión de la batería", "Battery voltage", decimals=2),
    MetricInfo("battery_a", "A", "Corriente de la batería", "Battery current", decimals=2),
    MetricInfo("battery_temp_c", "°C", "Temperatura de la batería", "Battery temperature", decimals=1),
    MetricInfo("battery_ah", "Ah", "Carga de la batería", "Battery charge", decimals=2),
    MetricInfo("battery_state", es="Estado de la batería", en="Battery state", type="text"),
    MetricInfo("x_m", "m", "Posición x", "Position x", decimals=2),
    MetricInfo("y_m", "m", "Posición y", "Position y", decimals=2),
    MetricInfo("yaw_deg", "°", "Orientación", "Orientation", decimals=0),
    MetricInfo("speed_mps", "m/s", "Velocidad", "Speed", decimals=2),
    MetricInfo("turn_dps", "°/s", "Giro", "Turn rate", decimals=1),
    MetricInfo("gps_fix", es="Posición por satélite", en="Satellite fix", type="text"),
    MetricInfo("gps_error_m", "m", "Error de la posición", "Position error", decimals=1),
    MetricInfo("diagnostics_bad", "", "Diagnósticos malos", "Bad diagnostics", decimals=0),
)
