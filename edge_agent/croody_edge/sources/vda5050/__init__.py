"""An automated guided vehicle that speaks VDA 5050 (1.1 to 3.0) at a broker on the site. Wires the parts; it only listens."""

import logging
import time
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from croody_contract import vda5050
from croody_contract.printable import printable
from croody_contract.vehicles import METRICS, Memory, Vehicle
from croody_edge.link.address import parse_brokers
from croody_edge.link.subscriber import subscribe
from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener
from croody_edge.sources.unended import Unended
from croody_edge.texts import text

log = logging.getLogger("croody.vda5050")

#: Kinds of nonsense that are told, of one vehicle.
_MOST_TOLD: Final = 20


class Vda5050Source(Listener):
    """A `PushSource` over one vehicle."""

    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """Which broker, and which vehicle there."""

        broker: Annotated[str, Meta(description="the fleet control's broker, `mqtt://HOST:PORT` or `mqtts://`")]
        manufacturer: Annotated[str, Meta(max_length=128, description="as the vehicle's topics have it")]
        serial: Annotated[str, Meta(max_length=128, description="its serial number")]
        interface: Annotated[str, Meta(max_length=64, description="first level of its topics; `+` is any")] = "+"
        username: str = ""
        password: str = ""
        ca_file: Path | None = None

        def __post_init__(self) -> None:
            if len(parse_brokers(self.broker)) > 1:
                raise ValueError(text("mqtt.one_broker"))
            if not vda5050.is_name(self.manufacturer) or not vda5050.is_serial(self.serial):
                raise ValueError(text("vda5050.vehicle", manufacturer=repr(self.manufacturer), serial=repr(self.serial)))
            if self.interface != "+" and not vda5050.is_name(self.interface):
                raise ValueError(text("vda5050.interface", interface=repr(self.interface)))

    #: `visualization` says less than `state`.
    partial = True
    metrics = METRICS

    def __init__(self, own: Settings, context: Context) -> None:
        super().__init__()
        self._own, self._id = own, f"{context.robot_id}-{context.name}"
        #: Kept when the broker goes, and over a start: what was wrong ends when the vehicle says so.
        self._unended = Unended(context)
        self._vehicle = Vehicle(Memory(wrong=self._unended.all()))
        self._told: set[str] = set()

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        own = self._own

        def came(name: str, payload: bytes, _retained: bool) -> None:
            topic = vda5050.parse_topic(name)
            if topic is None:
                return
            try:
                mono_s = time.monotonic()
                for said in self._vehicle.take(topic, payload, time.time(), mono_s):
                    hand_over(said)
                for about, wrong in self._vehicle.memory.wrong.items():
                    self._unended.keep(about, wrong, mono_s)
            except vda5050.BadMessage as error:
                self._once(topic.subtopic, text("vda5050.bad_message", topic=printable(name), error=printable(str(error))))

        (broker,) = parse_brokers(own.broker)
        filters = [f"{own.interface}/+/{own.manufacturer}/{own.serial}/{name}" for name in vda5050.SUBTOPICS]
        subscribe(broker, self._id, filters, came, self.closed, username=own.username, password=own.password, ca_file=own.ca_file)

    def _once(self, key: str, said: str) -> None:
        if key not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(key)
            log.warning("%s", said)
