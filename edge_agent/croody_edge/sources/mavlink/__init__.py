"""A drone, rover or boat that speaks MAVLink: state, position, batteries and what its autopilot says in words. Wires the parts.

It is listened to. What is sent to it is a companion computer's heartbeat and, where `ask_hz` wants so, requests for messages; never a
command that moves anything.
"""

import logging
import time
from typing import Annotated, Final

from msgspec import Meta

from croody_contract.messages import MetricInfo
from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener
from croody_edge.sources.mavlink import wire
from croody_edge.sources.mavlink.frames import Frames, entry
from croody_edge.sources.mavlink.vehicle import Vehicle
from croody_edge.texts import text

log = logging.getLogger("croody.mavlink")

_LOOK_S: Final = 0.2
_BEAT_S: Final = 1.0
#: Requests are repeated, as an autopilot that starts again forgets them, seconds.
_ASK_S: Final = 30.0
#: With heartbeats alone for so long the remedy is named, seconds.
_BARE_S: Final = 10.0


class MavlinkSource(Listener):
    """A `PushSource` over one vehicle."""

    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """How the vehicle is reached; `interval_s` is between two readings."""

        url: Annotated[
            str, Meta(description="`udp://HOST:PORT` waits there, `udpout://` and `tcp://` connect, `serial:///dev/...?baud=`")
        ] = "udp://127.0.0.1:14550"
        system: Annotated[int, Meta(ge=0, le=255, description="the vehicle's MAVLink system id; 0: the first autopilot heard")] = 0
        ask_hz: Annotated[float, Meta(ge=0, le=50, description="ask the autopilot for its messages so often; 0: take what it sends")] = 0.0
        secret: Annotated[str, Meta(description="pass phrase of MAVLink 2 signatures; unsigned messages are then passed over")] = ""

        def __post_init__(self) -> None:
            wire.check(self.url)

    #: A reading says what was said since the one before.
    partial = True
    metrics = (
        MetricInfo("armed", es="Armado", en="Armed", type="switch"),
        MetricInfo("flight_mode", es="Modo de vuelo", en="Flight mode", type="text"),
        MetricInfo("landed_state", es="En tierra o en vuelo", en="On ground or in air", type="text"),
        MetricInfo("battery_pct", "%", "Batería", "Battery", decimals=0),
        MetricInfo("battery_v", "V", "Tensión de la batería", "Battery voltage", decimals=2),
        MetricInfo("battery_a", "A", "Corriente de la batería", "Battery current", decimals=1),
        MetricInfo("height_m", "m", "Altura sobre el despegue", "Height above take-off", decimals=1),
        MetricInfo("speed_mps", "m/s", "Velocidad sobre el suelo", "Ground speed", decimals=1),
        MetricInfo("airspeed_mps", "m/s", "Velocidad del aire", "Airspeed", decimals=1),
        MetricInfo("climb_mps", "m/s", "Velocidad vertical", "Climb rate", decimals=1),
        MetricInfo("heading_deg", "°", "Rumbo", "Heading", decimals=0),
        MetricInfo("roll_deg", "°", "Alabeo", "Roll", decimals=1),
        MetricInfo("pitch_deg", "°", "Cabeceo", "Pitch", decimals=1),
        MetricInfo("yaw_deg", "°", "Guiñada", "Yaw", decimals=1),
        MetricInfo("throttle_pct", "%", "Acelerador", "Throttle", decimals=0),
        MetricInfo("gps_fix", es="Posición por satélite", en="Satellite fix", type="text"),
        MetricInfo("gps_satellites", "", "Satélites", "Satellites", decimals=0),
        MetricInfo("autopilot_load_pct", "%", "Carga del autopiloto", "Autopilot load", decimals=0),
    )

    def __init__(self, own: Settings, context: Context) -> None:
        super().__init__()
        self._own = own
        #: Outlives a link that breaks: what was silent or unhealthy is over when the vehicle says so.
        self._vehicle = Vehicle(entry, system=own.system, interval_s=own.interval_s)
        self._told: set[str] = set()

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        link = wire.connect(self._own.url)
        try:
            self._converse(link, Frames(self._own.secret), hand_over)
        finally:
            link.close()

    def _converse(self, link: wire.Wire, frames: Frames, hand_over: HandOver) -> None:
        beat_s = ask_s = 0.0
        began_s = time.monotonic()
        while not self.closed.is_set():
            messages = frames.take(link.receive(_LOOK_S))
            now, mono_s = time.time(), time.monotonic()
            for message in messages:
                for event in self._vehicle.take(message, now, mono_s):
                    hand_over(event)
            for event in self._vehicle.look(now, mono_s):
                hand_over(event)
            reading = self._vehicle.due(now, mono_s)
            if reading is not None:
                hand_over(reading)
            if mono_s >= beat_s:
                beat_s = mono_s + _BEAT_S
                link.send(frames.beat(self._vehicle.system))
                self._tell(frames, mono_s - began_s)
            if self._own.ask_hz and self._vehicle.system and mono_s >= ask_s:
                ask_s = mono_s + _ASK_S
                for request in frames.ask(self._vehicle.system, self._own.ask_hz):
                    link.send(request)

    def _tell(self, frames: Frames, listened_s: float) -> None:
        """Say once what a person may want to change."""
        if self._vehicle.others:
            self._once(
                "others", text("mavlink.others", mine=self._vehicle.system, others=", ".join(map(str, sorted(self._vehicle.others))))
            )
        if frames.noise > 100:
            self._once("noise", text("mavlink.noise", url=self._own.url))
        if self._vehicle.system and self._vehicle.bare and listened_s > _BARE_S and not self._own.ask_hz:
            self._once("bare", text("mavlink.bare"))

    def _once(self, key: str, said: str) -> None:
        if key not in self._told:
            self._told.add(key)
            log.warning("%s", said)
