"""In which units somebody reads what robots measure in SI: a table, and which of them the page at hand is for.

Like its language, a page's units are settled once, around everything that words it; what is kept, sent and exported stays as it came.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple


class Units(NamedTuple):
    """What somebody chose: temperatures in `c` or `f`, lengths in `m` or `ft`, speeds in `mps`, `kmh` or `mph`."""

    temperature: str = "c"
    length: str = "m"
    speed: str = "mps"

    def __str__(self) -> str:
        return "-".join(self)


class Scale(NamedTuple):
    """How a value is read: `value * factor + offset`, in `unit`."""

    unit: str
    factor: float = 1.0
    offset: float = 0.0


SI: Final = Units()
_KMH: Final = Scale("km/h", 3.6)
_MPH: Final = Scale("mph", 2.2369363)
#: What was chosen -> the unit of what robots measure -> how it is read then.
_SCALES: Final[Mapping[str, Mapping[str, Scale]]] = {
    "f": {"°C": Scale("°F", 1.8, 32.0)},
    "ft": {"m": Scale("ft", 3.2808399), "km": Scale("mi", 0.62137119)},
    "kmh": {"m/s": _KMH},
    "mph": {"m/s": _MPH},
}
_CHOICES: Final = (frozenset("cf"), frozenset({"m", "ft"}), frozenset({"mps", "kmh", "mph"}))
_current: ContextVar[Units] = ContextVar("units", default=SI)


def parse(text: str) -> Units:
    """`f-ft-mph`, as `str` writes it; SI for anything else."""
    parts = text.split("-")
    good = len(parts) == len(_CHOICES) and all(part in known for part, known in zip(parts, _CHOICES, strict=True))
    return Units(*parts) if good else SI


def current() -> Units:
    """Those of the page at hand; SI where there is none."""
    return _current.get()


@contextmanager
def using(units: Units) -> Iterator[None]:
    """Word everything inside in these."""
    before = _current.set(units)
    try:
        yield
    finally:
        _current.reset(before)


def scale(unit: str, units: Units | None = None) -> Scale:
    """How a value in `unit` is read, by the page at hand unless somebody else is named."""
    for choice in units if units is not None else current():
        found = _SCALES.get(choice, {}).get(unit)
        if found is not None:
            return found
    return Scale(unit)
