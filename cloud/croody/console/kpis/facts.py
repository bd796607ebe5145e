"""Adds up the rows of days for the page: by week, by site, by robot. Never reads a reading; words nothing."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from django.db.models import Sum
from django.db.models.functions import TruncWeek

from croody.accounts.caller import Caller
from croody.console.kpis.selection import Selection
from croody.fleet.access import Action, robots
from croody.fleet.models import Robot
from croody.monitor.facts import natural
from croody.telemetry.models import RobotDay
from croody.telemetry.read.sql import sliced

#: Robots on a page.
PAGE: Final = 100
_SUMMED: Final = (
    "possible", "minutes", "readings", "gaps", "gap_minutes", "failures", "repairs", "repair_s", "cycles", "distance_m", "interventions",
)  # fmt: skip
COLUMNS: Final = ("robot_id", "day", *_SUMMED)


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows of days, added up. `cycles`, `distance_m`: None where nobody said anything of it."""

    possible: int = 0
    minutes: int = 0
    readings: int = 0
    gaps: int = 0
    gap_minutes: int = 0
    failures: int = 0
    repairs: int = 0
    repair_s: float = 0.0
    cycles: float | None = None
    distance_m: float | None = None
    interventions: int = 0

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """From a row of `Sum`s, of which each may be None."""
        kept = {name: row[name] for name in ("cycles", "distance_m")}
        return cls(**{name: row[name] or 0 for name in _SUMMED if name not in kept}, **kept)

    def __add__(self, other: "Sums") -> "Sums":
        def both(name: str) -> Any:
            one, two = getattr(self, name), getattr(other, name)
            return two if one is None else one if two is None else one + two

        return Sums(**{name: both(name) for name in _SUMMED})

    @property
    def uptime(self) -> float | None:
        """Share of the time in which there were readings; None: there was no time yet."""
        return self.minutes / self.possible if self.possible else None

    @property
    def mtbf_s(self) -> float | None:
        """Mean time with readings between two grave alarms; None: there was none."""
        return self.minutes * 60 / self.failures if self.failures else None

    @property
    def mttr_s(self) -> float | None:
        """Mean time until a grave alarm ended; None: none did."""
        return self.repair_s / self.repairs if self.repairs else None


@dataclass(frozen=True, slots=True)
class Found:
    """Everything of the page. `weeks`: by their Monday, newest first; `robots`: those who were there least first."""

    total: Sums
    weeks: tuple[tuple[date, Sums], ...]
    sites: tuple[tuple[str, str, Sums], ...]
    robots: tuple[tuple[str, str, Sums], ...]


def chosen(caller: Caller, asked: Selection) -> list[Robot]:
    """Robots of which the page tells; only such that the caller works with."""
    mine = robots(caller, Action.INSPECT).select_related("site")
    if asked.site:
        mine = mine.filter(site__slug=asked.site)
    if asked.robot:
        mine = mine.filter(pk=asked.robot)
    return list(mine.only("robot_id", "label", "site__slug", "site__name").order_by("robot_id"))


def found(who: list[Robot], since: date, until: date) -> Found:
    """Added up by week, site and robot: two questions to the database for each five hundred robots."""
    by_week: dict[date, Sums] = defaultdict(Sums)
    by_robot: dict[str, Sums] = {}
    for some in sliced([robot.robot_id for robot in who]):
        rows: Any = RobotDay.objects.filter(robot_id__in=some, day__gte=since, day__lte=until).order_by()
        named = {name: Sum(name) for name in _SUMMED}
        for row in rows.annotate(week=TruncWeek("day")).values("week").annotate(**named):
            by_week[row["week"]] += Sums.of(row)
        for row in rows.values("robot_id").annotate(**named):
            by_robot[row["robot_id"]] = Sums.of(row)
    by_site: dict[tuple[str, str], Sums] = defaultdict(Sums)
    for robot in who:
        site = (robot.site.slug, robot.site.name) if robot.site is not None else ("", "")
        by_site[site] += by_robot.get(robot.robot_id, Sums())
    listed = sorted(who, key=lambda robot: (_there(by_robot.get(robot.robot_id, Sums())), natural(robot.robot_id)))
    return Found(
        total=sum(by_robot.values(), Sums()),
        weeks=tuple(sorted(by_week.items(), reverse=True)),
        sites=tuple((slug, name, sums) for (slug, name), sums in sorted(by_site.items(), key=lambda one: (not one[0][0], one[0][1]))),
        robots=tuple((robot.robot_id, robot.label, by_robot.get(robot.robot_id, Sums())) for robot in listed),
    )


def rows(who: list[Robot], since: date, until: date) -> Iterator[list[tuple[Any, ...]]]:
    """A row a robot and day, of so many robots at a time: what the file has."""
    for some in sliced([robot.robot_id for robot in who], 20):
        mine = RobotDay.objects.filter(robot_id__in=some, day__gte=since, day__lte=until).order_by("robot_id", "day")
        yield list(mine.values_list(*COLUMNS))


def _there(sums: Sums) -> float:
    return sums.uptime if sums.uptime is not None else 2.0
