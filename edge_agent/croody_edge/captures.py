"""Captures on a board: who does what in them, without a cloud. Knows files and the terminal; limits are the contract's."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from croody_contract.flows import calibration
from croody_contract.flows.capture import NoCapture
from croody_contract.flows.capture import read as read_capture
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.limits import Maxima
from croody_contract.flows.meter import Meter
from croody_contract.printable import printable


def screen_captures(captures: Iterable[Path], ordinary: Path | None, *, as_json: bool) -> int:
    """Say who does what in these captures, an incident a line. Returns 1 when one is no capture, or the calibration is damaged."""
    try:
        maxima = calibration.parse(ordinary.read_bytes(), str(ordinary)) if ordinary is not None else None
        for incident in of_captures(captures, maxima):
            print(json.dumps(incident.as_json()) if as_json else incident.as_line(), flush=True)
    except (NoCapture, calibration.Refused) as error:
        print(f"croody-edge: {printable(str(error))}", file=sys.stderr)
        return 1
    return 0


def of_captures(captures: Iterable[Path], maxima: Maxima | None) -> Iterator[Incident]:
    """The incidents of captures that follow each other."""
    found = Incidents(maxima)
    for path in captures:
        meter = Meter()
        with path.open("rb") as stream:
            for frame in read_capture(stream):
                for look in meter.take(frame):
                    yield from found.take(look)
        for look in meter.end():
            yield from found.take(look)
    yield from found.end()
