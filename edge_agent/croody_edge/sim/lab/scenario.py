"""A scenario: a site, what is ordinary there, and attacks on it, as data (TOML). Pure: reads no file, draws by the seed."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from croody_edge.sim.lab import attacks, everyday
from croody_edge.sim.lab import site as sites
from croody_edge.sim.lab.attacks.attack import Attack, Range
from croody_edge.sim.lab.site import Machine, Site

#: No scenario is longer, seconds, or has more machines, attacks, packets.
MOST_S: Final = 90_000
MOST_ROBOTS: Final = 100
MOST_ATTACKS: Final = 500
MOST_PACKETS: Final = 20_000_000


class BadScenario(ValueError):
    """A scenario that cannot be run; says what is wrong in it, and what may stand there."""


_Robots = Annotated[int, Meta(ge=2, le=MOST_ROBOTS)]


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """One attack. `by`: a machine, else one is drawn; `given`: parameters that are not drawn."""

    kind: str
    by: str = ""
    given: dict[str, float] = {}


class Drawn(Struct, frozen=True, forbid_unknown_fields=True):
    """Attacks that the seed draws: each of `kinds` (nothing: all) `times` times. `from_robots`: the share that robots do."""

    kinds: list[str] = []
    times: Annotated[int, Meta(ge=1, le=20)] = 1
    from_robots: Annotated[float, Meta(ge=0, le=1)] = 0.5


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. The site and its habits are of the `seed`; what happens there is of the `seed` and the `take`.

    `robots`: so many, from, to. `everyday`: activity -> the share of machines of its role that do it. `quiet_s`: before the first attack
    and between two. `seconds`: the longest that it lasts; it ends half a minute after its last attack.
    """

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[a-z0-9-]+$")]
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 1
    take: Annotated[int, Meta(ge=0, le=10_000)] = 0
    seconds: Annotated[float, Meta(ge=1, le=MOST_S)] = 300
    robots: tuple[_Robots, _Robots] = (4, 8)
    most_packets: Annotated[int, Meta(ge=1, le=MOST_PACKETS)] = 2_000_000
    everyday: dict[str, Annotated[float, Meta(ge=0, le=1)]] = {}
    attack: Annotated[list[Wanted], Meta(max_length=MOST_ATTACKS)] = []
    draw: Drawn | None = None
    quiet_s: tuple[float, float] = (75, 140)


@dataclass(frozen=True, slots=True)
class Planned:
    """An attack as it will be: who, with which parameters."""

    attack: Attack
    by: Machine
    given: dict[str, float]


def read(text: str, name: str, **instead: float) -> Scenario:
    """A scenario from its text. `name`: of the file, for the message; `instead`: fields that are not as it has them.

    Raises:
        BadScenario: what is wrong.
    """
    try:
        scenario = msgspec.convert(tomllib.loads(text) | instead, Scenario)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadScenario(f"{name}: {error}") from error
    unknown = [code for code in scenario.everyday if code not in everyday.BY_CODE]
    if unknown:
        raise BadScenario(f"{name}: everyday {unknown[0]!r}: use some of {', '.join(everyday.BY_CODE)}")
    for code in [wanted.kind for wanted in scenario.attack] + (scenario.draw.kinds if scenario.draw else []):
        if code not in attacks.BY_CODE:
            raise BadScenario(f"{name}: attack {code!r}: use some of {', '.join(attacks.BY_CODE)}")
    return scenario


def site_of(scenario: Scenario) -> Site:
    """Where it happens."""
    low, high = scenario.robots
    return sites.make(scenario.seed, Random(f"robots:{scenario.seed}").randint(min(low, high), max(low, high)))


def draw_given(ranges: Mapping[str, Range], rng: Random) -> dict[str, float]:
    """Each parameter somewhere in its range, evenly on a logarithmic scale."""
    return {name: round(exp(rng.uniform(log(low), log(high))), 4) for name, (low, high) in ranges.items()}


def planned(scenario: Scenario, site: Site) -> list[Planned]:
    """Its attacks in their order.

    Raises:
        BadScenario: a machine that the site does not have, or a parameter that an attack does not have.
    """
    rng = Random(f"attacks:{scenario.seed}:{scenario.take}")
    found = [_as_wanted(wanted, site, rng) for wanted in scenario.attack]
    if scenario.draw is not None:
        kinds = (scenario.draw.kinds or list(attacks.BY_CODE)) * scenario.draw.times
        rng.shuffle(kinds)
        for number, code in enumerate(kinds):
            attack = attacks.BY_CODE[code]
            # Every second one, or as many as asked for, whatever the order.
            inside = attack.robots or (number * scenario.draw.from_robots) % 1 + scenario.draw.from_robots >= 1
            found.append(Planned(attack, rng.choice(site.of("robot" if inside else "stranger")), draw_given(attack.given, rng)))
    return found[:MOST_ATTACKS]


def _as_wanted(wanted: Wanted, site: Site, rng: Random) -> Planned:
    attack = attacks.BY_CODE[wanted.kind]
    unknown = [name for name in wanted.given if name not in attack.given]
    if unknown:
        raise BadScenario(f"{wanted.kind}: parameter {unknown[0]!r}: it has {', '.join(attack.given) or 'none'}")
    by = wanted.by or rng.choice(site.of("robot" if attack.robots else "stranger")).name
    if by not in site.machines:
        raise BadScenario(f"{wanted.kind}: by {by!r}: the site has {', '.join(site.machines)}")
    return Planned(attack, site.machines[by], draw_given(attack.given, rng) | wanted.given)


@dataclass(frozen=True, slots=True)
class Habit:
    """Something that a machine does all the time."""

    activity: everyday.Activity
    by: Machine
    given: dict[str, float]


def habits(scenario: Scenario, site: Site) -> Iterator[Habit]:
    """What each machine does on an ordinary day."""
    rng = Random(f"everyday:{scenario.seed}")
    for code, share in scenario.everyday.items():
        activity = everyday.BY_CODE[code]
        others = ("stranger", "outside", "mirror", "router")
        doers = site.of(activity.who) if activity.who != "*" else [one for one in site.machines.values() if one.role not in others]
        # Who publishes in which way is drawn once: the first of a role are not always the same.
        for machine in rng.sample(doers, min(len(doers), max(1, round(share * len(doers))))) if share else ():
            yield Habit(activity, machine, draw_given(activity.given, rng))
