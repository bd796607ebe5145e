"""A GNSS receiver, compass or plotter that speaks NMEA 0183 on a serial port: place, speed, course, heading, quality of the fix."""

from croody_contract.messages import MetricInfo, Reading
from croody_edge.sources import Context, HandOver, NoValue
from croody_edge.sources.listener import Listener
from croody_edge.sources.nmea.sentence import Torn, parse
from croody_edge.sources.serial.line import PortSettings, lines


class NmeaSettings(PortSettings, frozen=True):
    """A serial port, at what speed most receivers begin."""


class Nmea(Listener):
    """A `PushSource` over one port."""

    Settings = NmeaSettings
    partial = True
    metrics = (
        MetricInfo("speed_mps", unit="m/s", es="Velocidad", en="Speed", decimals=2),
        MetricInfo("course_deg", unit="°", es="Rumbo sobre el suelo", en="Course over ground", decimals=0),
        MetricInfo("heading_deg", unit="°", es="Rumbo", en="Heading", decimals=0),
        MetricInfo("gnss_fix", es="Calidad GNSS", en="GNSS fix", decimals=0),
        MetricInfo("gnss_satellites", es="Satélites", en="Satellites", decimals=0),
        MetricInfo("gnss_hdop", es="HDOP", en="HDOP", decimals=1),
        MetricInfo("gnss_pdop", es="PDOP", en="PDOP", decimals=1),
    )

    def __init__(self, own: NmeaSettings, context: Context) -> None:
        super().__init__()
        self._own = own

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        for line in lines(self._own, self.closed.is_set):
            if line:
                hand_over(_reading(line.decode("ascii", "replace")))


def _reading(line: str) -> Reading:
    try:
        said = parse(line)
    except Torn:
        return Reading(data={"sentence": NoValue(line)})  # type: ignore[dict-item]
    return Reading(data={}) if said is None else Reading(data=said.data, position=said.position)
