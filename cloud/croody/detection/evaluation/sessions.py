"""Sessions of the lab from their files, and what the rules say of them. Knows files and the meter, no database."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from croody.detection.evaluation.score import False_, Interval, Named, Told, for_nothing, named
from croody_contract.flows import calibration, capture
from croody_contract.flows.capture import Frame
from croody_contract.flows.limits import Maxima, judge
from croody_contract.flows.meter import Look, Meter
from croody_contract.flows.packets import text

_VERSION: Final = 1


class NoSession(ValueError):
    """Files that are no session; says which, and how one is made."""


@dataclass(frozen=True, slots=True)
class Session:
    """A capture and what happened in it. Times in seconds since 1970."""

    path: Path
    how: str
    began: float
    ended: float
    intervals: tuple[Interval, ...]

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.ended - self.began) / 3600


@dataclass(frozen=True, slots=True)
class Result:
    """What the rules made of a session."""

    session: str
    hours: float
    named: tuple[Named, ...]
    for_nothing: tuple[False_, ...]


def load(path: Path) -> Session:
    """A session by its capture; the labels lie beside it.

    Raises:
        NoSession: they cannot be read.
    """
    try:
        raw: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if raw["version"] != _VERSION:
            raise ValueError(f"version {raw['version']}, expected {_VERSION}")
        fields = Interval.__dataclass_fields__
        intervals = [{name: attack[name] for name in fields} for attack in raw["attacks"]]
        made = tuple(Interval(**(one | {"addresses": tuple(one["addresses"])})) for one in intervals)
        return Session(path, str(raw["how"]), float(raw["began"]), float(raw["ended"]), made)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoSession(f"{path}: no labels that can be read beside it ({error}): make it with croody-sim attack --scenario") from error


def looks(path: Path, *, blind: bool = False) -> Iterator[Look]:
    """What the meter sees in a capture. `blind`: as if everything were behind TLS.

    Raises:
        NoCapture, OSError: it cannot be read.
    """
    meter = Meter()
    with path.open("rb") as stream:
        for frame in capture.read(stream):
            yield from meter.take(blinded(frame) if blind else frame)
    yield from meter.end()


def blinded(frame: Frame) -> Frame:
    """The frame with what TCP and UDP carry made unreadable, and as long as before."""
    data, start = frame.data, payload_at(frame.data)
    if start is None or start >= len(data):
        return frame
    return frame._replace(data=data[:start] + b"\x16\x03\x03".ljust(len(data) - start, b"\0")[: len(data) - start])


def payload_at(data: bytes) -> int | None:
    """Where the payload of TCP or UDP begins in an Ethernet frame without options of IP; None where there is none."""
    kind = data[12:14]
    if kind == b"\x08\x00" and len(data) > 34:
        at, protocol, later = 14 + (data[14] & 15) * 4, data[23], int.from_bytes(data[20:22], "big") & 0x1FFF
    elif kind == b"\x86\xdd" and len(data) > 54:
        at, protocol, later = 54, data[20], 0
    else:
        return None
    if later:
        return None
    if protocol == 6 and len(data) > at + 12:
        return at + (data[at + 12] >> 4) * 4
    return at + 8 if protocol == 17 else None


def ordinary(path: Path, *, blind: bool = False) -> Maxima:
    """What is ordinary in a capture in which nothing is wrong.

    Raises:
        calibration.Refused: something is.
    """
    return calibration.measure(looks(path, blind=blind)).maxima


def judged(session: Session, maxima: Maxima | None, *, blind: bool = False) -> Result:
    """What the rules say of a session."""
    told = [
        Told(look.at_ns / 1e9, text(look.device), evidence.rule.code)
        for look in looks(session.path, blind=blind)
        for evidence in judge(look, maxima)
    ]
    return Result(session.path.stem, session.hours, tuple(named(session.intervals, told)), tuple(for_nothing(session.intervals, told)))
