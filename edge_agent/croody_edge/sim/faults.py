"""What breaks on a virtual robot, and when: a schedule from a scenario's name, the robot's number and the seed. Pure.

| scenario | what happens |
| --- | --- |
| `default` | each robot gets a short fault once in about two days of driving |
| `calm` | nothing breaks |
| `fault` | the first robot's bearing from 90 s on, the second's wheel, the third's battery, then again; every 10 minutes |
| `bearing`, `wheel`, `battery` | that one fault, on every robot |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final

from croody_edge.sim.drive import SOUND, Wear

SCENARIOS: Final = ("default", "calm", "fault", "bearing", "wheel", "battery")
#: How long each fault lasts and how long it takes to its full strength, seconds.
_LASTS_S: Final = {"bearing": 420.0, "wheel": 60.0, "battery": 300.0}
_RAMP_S: Final = {"bearing": 180.0, "wheel": 0.0, "battery": 20.0}
_RARE_S: Final = 172_800.0
_FIRST_S: Final = 90.0
_EVERY_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, from `start_s` to `end_s` after the robot began."""

    kind: str
    start_s: float
    end_s: float

    def wear(self, t_s: float) -> Wear:
        """How broken the robot is at `t_s`."""
        if not self.start_s <= t_s < self.end_s:
            return SOUND
        ramp_s = _RAMP_S[self.kind]
        strength = 1.0 if ramp_s == 0 else min(1.0, (t_s - self.start_s) / ramp_s)
        match self.kind:
            case "bearing":
                return Wear(bearing=strength)
            case "wheel":
                return Wear(wheel=strength)
            case _:
                return Wear(cell=strength)


def schedule(scenario: str, number: int, seed: int) -> Iterator[Fault]:
    """Faults of the robot with this number (from 0), in order, without end or empty.

    Raises:
        ValueError: no such scenario.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario {scenario!r}: choose one of {', '.join(SCENARIOS)}")
    kinds = tuple(_LASTS_S)
    match scenario:
        case "calm":
            return iter(())
        case "default":
            return _rare(kinds, Random(f"faults:{seed}:{number}"))
        case "fault":
            return _steady(kinds[number % len(kinds)])
        case _:
            return _steady(scenario)


def _steady(kind: str) -> Iterator[Fault]:
    for n in count():
        start_s = _FIRST_S + n * _EVERY_S
        yield Fault(kind, start_s, start_s + _LASTS_S[kind])


def _rare(kinds: tuple[str, ...], rng: Random) -> Iterator[Fault]:
    at_s = 0.0
    while True:
        # Not in the first half hour: a person who tries the system for the first time meets a healthy fleet.
        at_s += 1_800.0 + rng.expovariate(1 / _RARE_S)
        kind = rng.choice(kinds)
        yield Fault(kind, at_s, at_s + _LASTS_S[kind])
        at_s += _LASTS_S[kind]
