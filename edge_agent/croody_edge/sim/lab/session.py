"""A scenario, played: its frames, and who did what when. Knows the order of things, not what carries them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from croody_contract.flows.capture import Frame
from croody_edge.sim.lab.host import Host
from croody_edge.sim.lab.scenario import Planned, Scenario, habits, planned, site_of
from croody_edge.sim.lab.wire import Full, Wire

#: When every session of a wire begins; a day later with every seed.
_BEGAN: Final = 1_796_000_000.0
_DAY_S: Final = 86_400
_AFTER_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Label:
    """An attack that happened. `addresses`: of who did it. Times in seconds since 1970. `robot`: it was done by a robot of the site."""

    kind: str
    family: str
    technique: str
    by: str
    addresses: tuple[str, ...]
    robot: bool
    first: float
    last: float
    given: dict[str, float]


@dataclass(slots=True)
class Made:
    """A session. `how`: "wire", every packet was made; "live", real programs sent them."""

    scenario: Scenario
    how: str
    began: float
    ended: float
    attacks: list[Label]
    everyday: list[dict[str, str]]
    full: bool = False

    def as_json(self) -> dict[str, Any]:
        """The labels as they stand beside a capture."""
        return {
            "version": 1,
            "name": self.scenario.name,
            "seed": self.scenario.seed,
            "take": self.scenario.take,
            "how": self.how,
            "began": self.began,
            "ended": self.ended,
            "cut": self.full,
            "attacks": [asdict(label) for label in self.attacks],
            "everyday": self.everyday,
        }


async def direct(
    plan: Sequence[Planned], host: Callable[[str], Host], quiet_s: tuple[float, float], rng: Random, labels: list[Label]
) -> None:
    """One attack after the other, with quiet between them; what happened is added to `labels`."""
    for one in plan:
        me = host(one.by.name)
        await me.sleep(rng.uniform(*quiet_s))
        first = me.now()
        await one.attack.run(me, one.given)
        labels.append(label_of(one, first, me.now()))


def label_of(one: Planned, first: float, last: float) -> Label:
    """An attack that began and ended then."""
    addresses = tuple(address for address in (one.by.address, one.by.address6) if address)
    attack = one.attack
    return Label(attack.code, attack.family, attack.technique, one.by.name, addresses, one.by.role == "robot", first, last, one.given)


def on_wire(scenario: Scenario) -> tuple[Made, list[Frame]]:
    """Play it in a time of its own: the same scenario gives the same frames."""
    site = site_of(scenario)
    began = _BEGAN + _DAY_S * ((scenario.seed * 4 + scenario.take) % 8_000)
    which = f"{scenario.seed}:{scenario.take}"
    wire = Wire(site, which, began, scenario.most_packets)
    plan, labels = planned(scenario, site), list[Label]()
    doing = list(habits(scenario, site))
    for habit in doing:
        wire.start(habit.activity.run(wire.host(habit.by.name), habit.given), began)

    async def all_attacks() -> None:
        await direct(plan, wire.host, scenario.quiet_s, Random(f"quiet:{which}"), labels)
        wire.until = min(wire.until, wire.now + _AFTER_S)

    if plan:
        wire.start(all_attacks(), began)
    full = False
    try:
        wire.run(began + scenario.seconds)
    except Full:
        full = True
    frames = wire.capture()
    ended = frames[-1].at_ns / 1e9 if frames else began
    said = [{"kind": habit.activity.code, "by": habit.by.name, "address": habit.by.address} for habit in doing]
    return Made(scenario, "wire", began, ended, labels, said, full), frames
