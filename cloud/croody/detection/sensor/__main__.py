"""`python -m croody.detection.sensor --interface eth0 --folder /captures`: watches until it is told to end. Needs CAP_NET_RAW alone."""

import argparse
import sys
import threading
import time
from pathlib import Path
from typing import Final

from croody.detection.sensor.interface import Interface
from croody.detection.sensor.watch import Watch
from croody_contract.ending import on_end
from croody_contract.flows import calibration
from croody_contract.flows.capture import Frame

_ETHERNET: Final = 1
_LOOK_S: Final = 0.5
#: How often it says how it is.
_SAY_S: Final = 5.0


def main() -> int:
    """Watch. Returns 1 when it cannot."""
    parser = argparse.ArgumentParser(prog="croody-sensor", description="watches an interface and keeps the minute around an incident")
    parser.add_argument("--interface", default="eth0")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, help="what croody ids calibrate wrote; without it the floors hold")
    asked, end = parser.parse_args(), threading.Event()
    on_end(end.set)
    try:
        maxima = calibration.parse(asked.calibration.read_bytes(), str(asked.calibration)) if asked.calibration else None
        run(Interface(asked.interface), Watch(asked.folder, maxima), end)
    except (OSError, calibration.Refused) as error:
        print(f"sensor: {error}", file=sys.stderr)
        return 1
    return 0


def run(interface: Interface, watch: Watch, end: threading.Event) -> None:
    """Until `end`."""
    said_s = 0.0
    try:
        while not end.is_set():
            for data, length in interface.frames(_LOOK_S):
                watch.take(Frame(time.time_ns(), _ETHERNET, length, data))
            watch.pass_time(time.time_ns())
            if time.monotonic() - said_s >= _SAY_S:
                watch.say(time.time_ns(), interface.lost())
                said_s = time.monotonic()
    finally:
        watch.close()
        interface.close()


if __name__ == "__main__":
    sys.exit(main())
