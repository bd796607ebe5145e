"""Captures on a board: who does what in them, and what is ordinary, without a cloud. Knows files and the terminal."""

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from croody_contract.flows import calibration, live
from croody_contract.flows.capture import NoCapture
from croody_contract.flows.capture import read as read_capture
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.limits import RULES, Maxima, limit_of
from croody_contract.flows.meter import Look, Meter
from croody_contract.printable import printable
from croody_edge.sources.network.interface import Interface
from croody_edge.texts import text


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


def calibrate(captures: list[Path], listen: str | None, interface: str, out: Path, *, merge: bool) -> int:
    """Write what is ordinary, of captures or of the network from now on. Returns 1 when that is refused, with the reason."""
    try:
        seconds = live.seconds_of(listen) if listen is not None else 0
        before = calibration.read(out.read_bytes(), str(out)) if merge and out.exists() else None
        if listen is None:
            measured = calibration.measure(_looks(captures))
            made_of = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in captures}
        else:
            with Interface(interface) as heard_on:
                heard = live.Listening(heard_on.frames, time.time_ns, seconds)
                measured = calibration.measure(heard.looks())
            made_of = {f"{interface} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}": heard.digest}
        made = calibration.joined(before, measured.maxima, made_of, datetime.now(UTC))
    except (NoCapture, calibration.Refused) as error:
        print(f"croody-edge: {printable(str(error))}", file=sys.stderr)
        return 1
    beside = out.with_name(out.name + ".new")
    beside.write_text(made, encoding="utf-8")
    beside.replace(out)
    if measured.left_out is not None:
        print(text("calibrate.left_out", device=measured.left_out[0], what=measured.left_out[1]))
    maxima = calibration.parse(made, str(out))
    for rule in RULES:
        limit, most = limit_of(rule, maxima)
        print(f"{rule.code:18} {rule.counter.value:16} {rule.seconds:3} s  {most or 0:8}  > {limit}")
    return 0


def _looks(captures: Iterable[Path]) -> Iterator[Look]:
    for path in captures:
        meter = Meter()
        with path.open("rb") as stream:
            for frame in read_capture(stream):
                yield from meter.take(frame)
        yield from meter.end()


def of_captures(captures: Iterable[Path], maxima: Maxima | None) -> Iterator[Incident]:
    """The incidents of captures that follow each other."""
    found = Incidents(maxima)
    for look in _looks(captures):
        yield from found.take(look)
    yield from found.end()
