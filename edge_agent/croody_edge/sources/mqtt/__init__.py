"""What devices already say at some broker on the site: topics by template, payloads as a number, a text or JSON."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from croody_contract.messages import Reading
from croody_edge.link.address import parse_brokers
from croody_edge.link.subscriber import subscribe
from croody_edge.sources import Context, HandOver, NoValue, SourceSettings, words
from croody_edge.sources.listener import Listener
from croody_edge.sources.mqtt.topic import Template
from croody_edge.texts import text

#: A larger payload is not looked at, bytes.
_MOST_BYTES: Final = 64 * 1024


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[source.NAME.topics]]`: `topic` may have `{name}` for a level; `metric` may name it. A JSON object's values follow `metric`."""

    topic: str
    metric: Annotated[str, Meta(max_length=64)] = ""
    format: Literal["auto", "text", "json"] = "auto"
    #: Whether what the broker kept from before counts.
    retained: bool = True

    def __post_init__(self) -> None:
        template = Template(self.topic)
        if not template.fits(self.metric):
            raise ValueError(text("mqtt.bad_metric", metric=repr(self.metric), names=", ".join(template.names) or "-"))


class MqttSettings(SourceSettings, frozen=True):
    """A broker on the site; not the one that the agent itself speaks to."""

    broker: str
    topics: Annotated[list[Topic], Meta(min_length=1, max_length=64)]
    username: str = ""
    password: str = ""
    #: By which the broker knows this client; empty: the robot's id and the source's name.
    client_id: Annotated[str, Meta(max_length=128)] = ""
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if len(parse_brokers(self.broker)) > 1:
            raise ValueError(text("mqtt.one_broker"))


class Mqtt(Listener):
    """A `PushSource` over one broker."""

    Settings = MqttSettings
    partial = True

    def __init__(self, own: MqttSettings, context: Context) -> None:
        super().__init__()
        self._own, self._id = own, own.client_id or f"{context.robot_id}-{context.name}"
        self._templates = [(Template(one.topic), one) for one in own.topics]

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""

        def came(topic: str, payload: bytes, retained: bool) -> None:
            data = self.values(topic, payload, retained)
            if data:
                hand_over(Reading(data=data))

        own = self._own
        (broker,) = parse_brokers(own.broker)
        filters = sorted({template.filter for template, _ in self._templates})
        subscribe(broker, self._id, filters, came, self.closed, username=own.username, password=own.password, ca_file=own.ca_file)

    def values(self, topic: str, payload: bytes, retained: bool) -> dict[str, Any]:
        """What a message says, by names of metrics."""
        for template, one in self._templates:
            places = template.match(topic)
            if places is not None and (one.retained or not retained):
                return _values(template.metric(one.metric, places), payload, one.format)
        return {}


def _values(name: str, payload: bytes, format_: str) -> dict[str, Any]:
    if len(payload) > _MOST_BYTES:
        return {name: NoValue(f"{len(payload)} bytes")}
    said = payload.decode("utf-8", "replace").strip()
    if format_ == "json" or (format_ == "auto" and said.startswith("{")):
        return {(f"{name}_{key}" if key != "line" else name): value for key, value in words.document(said).items()}
    if not said:
        return {}
    return {name: said if format_ == "text" else words.cell(said)}
