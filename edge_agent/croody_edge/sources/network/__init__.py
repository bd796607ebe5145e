"""The network that a board sees: who scans, floods, guesses or spoofs there. Off unless asked for; needs CAP_NET_RAW and nothing else.

Packets stay on the board. What goes up is an event for each device that goes beyond a limit, with its counters and some of its flows as
records; a random sample of the devices' windows that were cleared; and once in a while how much was seen.
"""

import random
import time
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from croody_contract.flows import calibration
from croody_contract.flows.capture import Frame
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.limits import Maxima
from croody_contract.flows.meter import Look, Meter
from croody_contract.flows.packets import text as address
from croody_contract.flows.records import Flows
from croody_contract.messages import Event, MetricInfo, Reading
from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener
from croody_edge.sources.network.interface import Interface
from croody_edge.sources.network.screened import MOST_FLOWS, Screened
from croody_edge.texts import text

CODE: Final = "network_intrusion"
#: What goes on is told again after so long, seconds; what gets worse at once.
_AGAIN_S: Final = 60.0
#: Other devices that an event names.
_BESIDE: Final = 5
#: The longest that a look waits for a packet, seconds.
_LOOK_S: Final = 0.5
#: Flows that are followed at once.
_MOST_FLOWS: Final = 4_096


class NetworkSettings(SourceSettings, frozen=True, kw_only=True):
    """Which interface, and what is ordinary there: a file that `croody ids calibrate` wrote. `interval_s`: between two readings."""

    interface: Annotated[str, Meta(min_length=1, max_length=15)]
    calibration: Path | None = None
    sample: Annotated[float, Meta(ge=0, le=1, description="share of the cleared windows of ten seconds that goes up")] = 0.01
    interval_s: Annotated[float, Meta(ge=1, le=86400)] = 30.0


class Network(Listener):
    """A `PushSource` over a packet socket."""

    Settings = NetworkSettings
    metrics = (
        MetricInfo("net_packets_s", unit="1/s", es="Paquetes vistos", en="Packets seen", decimals=0),
        MetricInfo("net_lost", es="Paquetes no vistos", en="Packets missed", decimals=0),
    )

    def __init__(self, own: NetworkSettings, context: Context) -> None:
        super().__init__()
        self._own = own

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        watch = Watch(self._maxima(), hand_over, self._own.sample)
        with Interface(self._own.interface) as interface:
            read_at_s, frames = time.monotonic() + self._own.interval_s, 0
            while not self.closed.is_set():
                for data, length in interface.frames(_LOOK_S):
                    watch.take(Frame(time.time_ns(), 1, length, data))
                    frames += 1
                watch.pass_time(time.time_ns())
                if time.monotonic() >= read_at_s:
                    hand_over(Reading(data={"net_packets_s": frames / self._own.interval_s, "net_lost": interface.lost()}))
                    read_at_s, frames = time.monotonic() + self._own.interval_s, 0

    def _maxima(self) -> Maxima | None:
        """What is ordinary.

        Raises:
            OSError: the file cannot be read.
        """
        path = self._own.calibration
        if path is None:
            return None
        with path.open("rb") as file:
            try:
                return calibration.parse(file.read(calibration.MAX_BYTES), str(path))
            except calibration.Refused as error:
                raise OSError(text("network.calibration", why=error)) from error


class Watch:
    """Frames -> events: one when a device goes beyond a limit, again when it gets worse, or still goes on a minute later."""

    def __init__(self, maxima: Maxima | None, hand_over: HandOver, sample: float = 0.0, dice: random.Random | None = None) -> None:
        self._meter, self._incidents, self._hand_over = Meter(), Incidents(maxima), hand_over
        self._flows = Flows(maxima, self._meter.owner_of, _MOST_FLOWS)
        self._screened = Screened(maxima, sample, dice or random.Random())
        #: Offender -> how many kinds of evidence were told, and when.
        self._told: dict[str, tuple[int, int]] = {}
        self._looked_ns = 0

    def take(self, frame: Frame) -> None:
        """One frame."""
        for look in self._meter.take(frame):
            self._judge(look)
        self._flows.take(frame)

    def pass_time(self, now_ns: int) -> None:
        """Nothing came: seconds end all the same."""
        for look in self._meter.pass_time(now_ns):
            self._judge(look)

    def _judge(self, look: Look) -> None:
        self._flows.look(look)
        if look.at_ns != self._looked_ns:
            self._looked_ns = look.at_ns
            for _over in self._flows.due(look.at_ns):
                # What is over and was not told of stays on the board.
                pass
        sampled = self._screened.look(look)
        if sampled is not None:
            self._hand_over(sampled)
        for over in self._incidents.take(look):
            self._told.pop(over.offender, None)
        incident = self._incidents.open_of(address(look.device))
        if incident is None or incident.last_ns != look.at_ns:
            return
        kinds, at_ns = self._told.get(incident.offender, (0, 0))
        if len(incident.evidence) > kinds or look.at_ns - at_ns > _AGAIN_S * 1e9:
            self._told[incident.offender] = (len(incident.evidence), look.at_ns)
            self._hand_over(event_of(incident))
            self._hand_over(self._screened.suspect(look, incident))
            for flow in self._screened.flows(self._flows.of(look.device, MOST_FLOWS), look.at_ns):
                self._hand_over(flow)


def event_of(incident: Incident) -> Event:
    """An incident as it goes up."""
    worst = incident.evidence[incident.codes[0]]
    detail = {
        "offender": incident.offender,
        "kind": incident.codes[0],
        "value": worst.value,
        "limit": worst.limit,
        "seconds": worst.rule.seconds,
        "technique": worst.rule.technique,
        "kinds": " ".join(incident.codes),
        "beside": " ".join(sorted(incident.beside)[:_BESIDE]),
    }
    return Event(code=CODE, severity=incident.severity, detail=msgspec.to_builtins(detail))
