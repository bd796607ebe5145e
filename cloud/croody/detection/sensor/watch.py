"""Frames -> files: an incident a file, and beside it the minute around; and once in a while how the sensor itself is. Bounded.

Times are those of the frames, so that it can be tried with a capture.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from croody.detection.sensor.ring import Ring
from croody_contract.flows.capture import Frame
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.limits import Maxima
from croody_contract.flows.meter import Look, Meter
from croody_contract.flows.packets import text

#: Incidents that are kept, the newest.
MOST: Final = 50
#: So long before an incident and after its first sign is kept of the packets.
AROUND_NS: Final = 60 * 1_000_000_000
#: What goes on is written again after so long.
_AGAIN_NS: Final = 30 * 1_000_000_000
STATE: Final = "sensor.json"
_NAME: Final = re.compile(r"[^0-9a-z]+")


class Watch:
    """Takes frames in the order of their times."""

    def __init__(self, folder: Path, maxima: Maxima | None) -> None:
        self._folder = folder
        self._kept = folder / "incidents"
        self._kept.mkdir(parents=True, exist_ok=True)
        self._ring, self._meter, self._incidents = Ring(folder / "ring"), Meter(), Incidents(maxima)
        #: Offender -> how many kinds of evidence were written, when, and its name.
        self._told: dict[str, tuple[int, int, str]] = {}
        #: What is to be cut out of the ring: until when -> from when, its name.
        self._waiting: list[tuple[int, int, str]] = []
        self.frames = self.lost = 0

    def take(self, frame: Frame) -> None:
        """One frame."""
        self.frames += 1
        self._ring.put(frame)
        self._judge(self._meter.take(frame))

    def pass_time(self, now_ns: int) -> None:
        """Nothing came until now."""
        self._judge(self._meter.pass_time(now_ns))
        while self._waiting and self._waiting[0][0] <= now_ns:
            until_ns, since_ns, name = self._waiting.pop(0)
            self._ring.cut(since_ns, until_ns, self._kept / f"{name}.pcap")
            self._forget()

    def say(self, now_ns: int, lost: int) -> None:
        """How the sensor is: a file that is never older than it is well."""
        self.lost += lost
        left_out = self._meter.counters.left_out
        _write(self._folder / STATE, {"at": now_ns / 1e9, "frames": self.frames, "lost": self.lost, "left_out": left_out})

    def close(self) -> None:
        """Write what waits."""
        self._ring.close()

    def _judge(self, looks: Iterator[Look]) -> None:
        for look in looks:
            for over in self._incidents.take(look):
                self._told.pop(over.offender, None)
            incident = self._incidents.open_of(text(look.device))
            if incident is not None and incident.last_ns == look.at_ns:
                self._tell(incident)

    def _tell(self, incident: Incident) -> None:
        kinds, at_ns, name = self._told.get(incident.offender, (0, 0, ""))
        if len(incident.evidence) <= kinds and incident.last_ns - at_ns < _AGAIN_NS:
            return
        if not name:
            name = f"{incident.first_ns // 1_000_000}-{_NAME.sub('-', incident.offender)}"
            if len(self._waiting) < MOST:
                self._waiting.append((incident.first_ns + AROUND_NS, incident.first_ns - AROUND_NS, name))
        self._told[incident.offender] = (len(incident.evidence), incident.last_ns, name)
        _write(self._kept / f"{name}.json", incident.as_json())
        self._forget()

    def _forget(self) -> None:
        """The oldest beyond `MOST`; their names begin with their time."""
        for ending in ("json", "pcap"):
            for old in sorted(self._kept.glob(f"*.{ending}"))[:-MOST]:
                old.unlink(missing_ok=True)


def _write(path: Path, said: dict[str, Any]) -> None:
    """Whole, or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(said), encoding="utf-8")
    beside.replace(path)
