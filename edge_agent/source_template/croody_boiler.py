"""A boiler: its temperature, read from a file, and the alarms that it sends by UDP."""

import socket
from pathlib import Path

from croody_contract.messages import Event, MetricInfo, Reading
from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener


class BoilerSettings(SourceSettings, frozen=True):
    file: Path = Path("/sys/class/thermal/thermal_zone0/temp")


class Boiler:
    """Asked at intervals: a file with the temperature in thousandths of a degree, as Linux has for many sensors."""

    Settings = BoilerSettings
    metrics = (MetricInfo("water_temp_c", unit="°C", es="Agua", en="Water", decimals=1),)

    def __init__(self, own: BoilerSettings, context: Context) -> None:
        self.file, self.interval_s = own.file, own.interval_s

    def read(self, now: float) -> Reading | None:
        text = self.file.read_text(encoding="ascii", errors="replace").strip()
        if not text.lstrip("-").isdecimal():
            raise OSError(f"{self.file} holds no number: {text!r}")
        return Reading(data={"water_temp_c": int(text) / 1000})

    def close(self) -> None:
        pass


class AlarmSettings(SourceSettings, frozen=True):
    port: int = 5005


class Alarms(Listener):
    """Speaks by itself: every packet that comes is the word for what is wrong."""

    Settings = AlarmSettings

    def __init__(self, own: AlarmSettings, context: Context) -> None:
        super().__init__()
        self.port = own.port

    def listen(self, hand_over: HandOver) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
            listening.bind(("127.0.0.1", self.port))
            listening.settimeout(0.5)
            while not self.closed.is_set():
                try:
                    word = listening.recv(64).decode("ascii", "replace")
                except TimeoutError:
                    continue
                hand_over(Event(code="boiler_alarm", severity="medium", detail={"word": word}))
