"""A fleet as its people see it, as plain values: who is in which state, what is open, and in what order. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from croody.alarms.kinds import SEVERITIES
from croody.liveness.judge import State
from croody.monitor.facts import natural

#: States that ask for somebody, the gravest first.
TROUBLED: Final = (State.FAULTED, State.QUARANTINED, State.OFFLINE, State.STALE)
#: An open alarm of these asks for somebody whatever its robot does; others wait in their list, and many of them heal by themselves.
GRAVE: Final = ("critical", "high")
#: Behind those come who is being mended and who never spoke; all others stand by their name.
_RANKS: Final = {**{state: rank for rank, state in enumerate(TROUBLED)}, State.MAINTENANCE: 10, State.UNKNOWN: 11}


@dataclass(frozen=True, slots=True)
class Listed:
    """A robot in the list of all of them: what is known of each, however many there are.

    Attributes:
        site, organisation: their slugs; empty for no site.
        heard: when anything of it came last, in unix seconds.
        alerts: open alarms; `worst`: the severity of the gravest, empty for none.
        until: when its maintenance ends.
    """

    robot_id: str
    kind: str
    state: State
    label: str = ""
    tags: tuple[str, ...] = ()
    site: str = ""
    organisation: str = ""
    interval_s: float | None = None
    heard: float | None = None
    alerts: int = 0
    worst: str = ""
    until: datetime | None = None
    by: str = ""
    why: str = ""

    @property
    def troubled(self) -> bool:
        """Whether it asks for somebody. Who is being mended does not: somebody is at it."""
        if self.state in (State.MAINTENANCE, State.OFF) and self.worst != "critical":
            return False
        return self.state in TROUBLED or self.worst in GRAVE


@dataclass(frozen=True, slots=True)
class Place:
    """A site or an organisation, by its slug and its name."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Roster:
    """All robots that somebody works with, trouble first.

    Attributes:
        deaf_since: the cloud itself hears nothing since then.
        alarms: open alarms of the whole list by severity, those of many robots as one each.
        urgent: critical ones that nobody has acknowledged.
    """

    now: datetime
    deaf_since: datetime | None
    robots: tuple[Listed, ...]
    sites: tuple[Place, ...] = ()
    organisations: tuple[Place, ...] = ()
    alarms: Mapping[str, int] = field(default_factory=dict)
    urgent: int = 0

    def counts(self) -> Counter[State]:
        """How many robots are in which state."""
        return Counter(robot.state for robot in self.robots)

    @property
    def troubled(self) -> int:
        """How many ask for somebody."""
        return sum(robot.troubled for robot in self.robots)

    def tags(self) -> list[str]:
        """Every tag in use, by name."""
        return sorted({tag for robot in self.robots for tag in robot.tags}, key=str.casefold)


def ordered(robots: Iterable[Listed]) -> tuple[Listed, ...]:
    """Who asks for somebody first: by state, then by the worst alarm, then by name as people count."""
    severities = list(SEVERITIES)

    def key(robot: Listed) -> tuple[object, ...]:
        rank = _RANKS.get(robot.state, 20)
        if not robot.troubled:
            return (1, max(rank, 10), 0, natural(robot.robot_id))
        grave = severities.index(robot.worst) if robot.worst in severities else len(severities)
        return (0, rank, grave, natural(robot.robot_id))

    return tuple(sorted(robots, key=key))
