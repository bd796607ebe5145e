"""Which weeks, and of whom, as the address says it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Self

from croody.web.address import page_number, query_of, typed, whole

#: Weeks that can be chosen.
WEEKS: Final = (1, 4, 12, 52)
USUAL: Final = 4


@dataclass(frozen=True, slots=True)
class Selection:
    """`site`: a slug; `robot`: an id; both empty: everything that one works with."""

    weeks: int = USUAL
    site: str = ""
    robot: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From `?weeks=&site=&robot=&page=`; what it cannot mean is left out."""
        weeks = whole(query.get("weeks", ""), 2)
        site, robot = typed(query, "site"), typed(query, "robot")
        return cls(weeks if weeks in WEEKS else USUAL, site, robot, page_number(query.get("page", "")))

    def address(self, **changes: str | int) -> str:
        """The query for this with some of it changed, from its first page."""
        one = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        parts = {"weeks": one.weeks if one.weeks != USUAL else "", "site": one.site, "robot": one.robot}
        parts["page"] = one.page if one.page > 1 else ""
        return query_of(parts)

    def days(self, today: date) -> tuple[date, date]:
        """First and last day: whole weeks that begin on Monday, the last one as far as it has come."""
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(weeks=self.weeks - 1), today
