"""Device windows as a model reads them: each counter, in relation to the most that is ordinary at the site. Pure; no addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Final

from croody_contract.flows.counters import WINDOWS, Counter
from croody_contract.flows.limits import Maxima

#: `counter/seconds`. Never an address, a port or a name: those tell the laboratory apart, not an attack.
FEATURES: Final = tuple(f"{counter.value}/{seconds}" for counter in Counter for seconds in WINDOWS)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A device over ten seconds, of which it is known what it did.

    Args:
        vector: one number a feature.
        attack: whether it was one.
        group: what is left out together: a site, a day of a robot, an incident.
        family: of the attack; empty for what is ordinary.
        source: where the label is from: `lab`, `benign`, `windows`, `verdicts`.
        rules: whether the rules suspect it.
        session: of the laboratory; with `device` and `at` (unix seconds) it finds its place there again.
    """

    vector: tuple[float, ...]
    attack: bool
    group: str
    family: str
    source: str
    rules: bool
    session: str = ""
    device: str = ""
    at: float = 0.0


def vector(windows: Mapping[str, Any], maxima: Maxima | None, names: Sequence[str] = FEATURES) -> tuple[float, ...]:
    """`log2((1 + value) / (1 + most))` of each feature. `windows`: seconds, as text -> counter -> value, as records have them."""
    found = []
    for name in names:
        counter, _slash, seconds = name.rpartition("/")
        value = max(0, int(windows.get(seconds, {}).get(counter, 0)))
        most = (maxima or {}).get(counter, {}).get(seconds, 0)
        found.append(log2((1 + value) / (1 + most)))
    return tuple(found)
