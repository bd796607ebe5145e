"""What an attack of the lab is: a small function of a machine and its parameters, with a kind, a family and a technique."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from croody_edge.sim.lab.host import Host

Given = Mapping[str, float]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Attack:
    """One. `given`: parameter -> from, to; what is drawn between lies evenly on a logarithmic scale. `technique`: of MITRE ATT&CK.

    `raw`: makes frames itself, so that it needs a network of the lab's own. `robots`: only robots do it, from their own addresses.
    """

    code: str
    family: str
    technique: str
    run: Callable[[Host, Given], Coroutine[Any, Any, None]]
    given: Mapping[str, Range] = field(default_factory=dict)
    raw: bool = False
    robots: bool = False
