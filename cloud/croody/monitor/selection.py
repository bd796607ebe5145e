"""Which robots a page shows, as its address says it. Pure: a roster in, a hundred robots at most out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from croody.monitor.facts import Listed
from croody.monitor.words import TROUBLED, WORDS
from croody.web.address import page_number, page_of, query_of, typed

#: Rows on a page of the list.
PAGE: Final = 100
#: Every state by its name, and all that ask for somebody together.
TROUBLE: Final = "atencion"
STATES: Final = (TROUBLE, *(state.value for state in WORDS))


@dataclass(frozen=True, slots=True)
class Selection:
    """What the address asks for; what it cannot mean is left out, so that an old link still shows something."""

    site: str = ""
    state: str = ""
    search: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From `?sitio=&estado=&buscar=&pagina=`."""
        state = query.get("estado", "")
        site, search = typed(query, "sitio"), typed(query, "buscar")
        return cls(site, state if state in STATES else "", search, page_number(query.get("pagina", "")))

    def address(self, **changes: str | int) -> str:
        """The query that asks for this, with some of it changed. Another filter begins at the first page."""
        one = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        parts = {"sitio": one.site, "estado": one.state, "buscar": one.search, "pagina": one.page if one.page > 1 else ""}
        return query_of(parts)

    @property
    def filters(self) -> bool:
        """Whether anything but the site and the page is asked for."""
        return bool(self.state or self.search)

    def matches(self, robot: Listed) -> bool:
        """Whether this robot is asked for."""
        if self.site and robot.site != self.site:
            return False
        if self.state and not (robot.state in TROUBLED if self.state == TROUBLE else robot.state.value == self.state):
            return False
        return self.search.lower() in robot.robot_id.lower()


@dataclass(frozen=True, slots=True)
class Shown:
    """The robots of one page, and how many there are on all pages."""

    robots: tuple[Listed, ...]
    total: int
    page: int
    pages: int


def select(robots: Sequence[Listed], asked: Selection) -> Shown:
    """The page that is asked for, or the last one there is."""
    found = [robot for robot in robots if asked.matches(robot)] if asked.site or asked.filters else robots
    rows, page, pages = page_of(found, asked.page, PAGE)
    return Shown(tuple(rows), len(found), page, pages)
