"""An interface that is watched for a while, as looks: who reads frames and who knows the time is given. Pure otherwise."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from croody_contract.flows.calibration import LEAST_S, Refused
from croody_contract.flows.capture import Frame
from croody_contract.flows.meter import Look, Meter

_ETHERNET: Final = 1
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
#: The longest that is measured at once, seconds.
_LONGEST_S: Final = 86_400


def seconds_of(text: str) -> int:
    """`15m`, `900s`, `900`, `1h`: how long a calibration listens.

    Raises:
        Refused: it is none, or too short or long for one.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    if not number.isascii() or not number.isdigit():
        raise Refused(f"{text[:20]!r}: write a time as 15m, 900s or 1h")
    seconds = int(number[:9]) * _UNITS[unit]
    if not LEAST_S <= seconds <= _LONGEST_S:
        raise Refused(f"{text[:20]!r}: {seconds} s, must be {LEAST_S} to {_LONGEST_S}: shorter says too little of what is ordinary")
    return seconds


class Listening:
    """Looks of an interface until a time; `digest` of all frames afterwards, as a capture of them would have one."""

    def __init__(self, frames: Callable[[float], Iterable[tuple[bytes, int]]], clock_ns: Callable[[], int], seconds: float) -> None:
        """`frames`: what comes within so many seconds, each with its length on the wire."""
        self._frames, self._clock_ns, self._seconds = frames, clock_ns, seconds
        self._hash = hashlib.sha256()

    def looks(self) -> Iterator[Look]:
        """As they come."""
        meter, began_ns = Meter(), self._clock_ns()
        until_ns = began_ns + int(self._seconds * 1e9)
        # The first second is looked at though nothing came in it: silence is part of what is ordinary.
        while (now_ns := self._clock_ns()) < until_ns:
            for data, length in self._frames(min(0.5, (until_ns - now_ns) / 1e9)):
                self._hash.update(data)
                yield from meter.take(Frame(self._clock_ns(), _ETHERNET, length, data))
            yield from meter.pass_time(self._clock_ns())
        yield from meter.end()

    @property
    def digest(self) -> bytes:
        """Of what was seen."""
        return self._hash.digest()
