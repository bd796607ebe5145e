"""Which robots the page shows, as its address says it. Pure: a roster in, a hundred robots at most out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from croody.console.fleet.roster import Listed
from croody.liveness.judge import State
from croody.monitor.facts import natural
from croody.web.address import page_number, page_of, query_of, typed

#: Rows on a page of the list.
PAGE: Final = 100
#: All that ask for somebody together, beside every state by its name.
TROUBLE: Final = "attention"
STATES: Final = (TROUBLE, *(state.value for state in State))
#: In what order, beside who asks for somebody first.
SORTS: Final = ("name", "age", "alerts")


@dataclass(frozen=True, slots=True)
class Selection:
    """What the address asks for; what it cannot mean is left out, so that an old link still shows something."""

    q: str = ""
    state: str = ""
    site: str = ""
    org: str = ""
    tag: str = ""
    starred: str = ""
    sort: str = ""
    metric: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From `?q=&state=&site=&org=&tag=&starred=&sort=&metric=&page=`."""
        said = {name: typed(query, name) for name in ("q", "site", "org", "tag", "metric")}
        state, sort = query.get("state", ""), query.get("sort", "")
        return cls(
            **said,
            state=state if state in STATES else "",
            starred="1" if query.get("starred") == "1" else "",
            sort=sort if sort in SORTS else "",
            page=page_number(query.get("page", "")),
        )

    def address(self, **changes: str | int) -> str:
        """The query that asks for this, with some of it changed. Another filter begins at the first page."""
        one = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        return query_of(one.fields() | {"page": one.page if one.page > 1 else ""})

    def fields(self) -> dict[str, str]:
        """What it asks for by name, without the page: what forms carry on."""
        parts = {name: getattr(self, name) for name in ("q", "state", "site", "org", "tag", "starred", "sort", "metric")}
        return {name: value for name, value in parts.items() if value}

    @property
    def filters(self) -> bool:
        """Whether not all robots are asked for."""
        return bool(self.q or self.state or self.site or self.org or self.tag or self.starred)

    def matches(self, robot: Listed) -> bool:
        """Whether this robot is asked for."""
        if self.state and not (robot.troubled if self.state == TROUBLE else robot.state.value == self.state):
            return False
        if (self.site and robot.site != self.site) or (self.org and robot.organisation != self.org):
            return False
        if self.tag and self.tag not in robot.tags:
            return False
        wanted = self.q.casefold()
        return any(wanted in text.casefold() for text in (robot.robot_id, robot.label, *robot.tags))


@dataclass(frozen=True, slots=True)
class Shown:
    """The robots of one page, and how many there are on all pages. `troubled`: how many of these ask for somebody."""

    robots: tuple[Listed, ...]
    total: int
    troubled: int
    page: int
    pages: int


def select(robots: Sequence[Listed], asked: Selection, starred: Collection[str] = ()) -> Shown:
    """The page that is asked for, or the last one there is. `starred`: the favourites of whoever asks."""
    found = matching(robots, asked, starred)
    rows, page, pages = page_of(found, asked.page, PAGE)
    return Shown(tuple(rows), len(found), sum(robot.troubled for robot in found), page, pages)


def matching(robots: Sequence[Listed], asked: Selection, starred: Collection[str] = ()) -> Sequence[Listed]:
    """All that are asked for, on whichever page, in the order of the list."""
    found = [robot for robot in robots if asked.matches(robot)] if asked.filters else robots
    if asked.starred:
        found = [robot for robot in found if robot.robot_id in starred]
    return _sorted(found, asked.sort)


def _sorted(robots: Sequence[Listed], sort: str) -> Sequence[Listed]:
    """By name as people count; by who was silent longest, never heard first; by most alarms."""
    if sort == "name":
        return sorted(robots, key=lambda robot: natural(robot.robot_id))
    if sort == "age":
        return sorted(robots, key=lambda robot: robot.heard or 0.0)
    if sort == "alerts":
        return sorted(robots, key=lambda robot: -robot.alerts)
    return robots
