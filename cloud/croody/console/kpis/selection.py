"""Which weeks, and of whom, as the address says it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Self
from urllib.parse import urlencode

#: Weeks that can be chosen.
WEEKS: Final = (1, 4, 12, 52)
USUAL: Final = 4
_LONGEST: Final = 64


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
        weeks, page = query.get("weeks", ""), query.get("page", "1")
        site, robot = (query.get(name, "").replace("\x00", "").strip()[:_LONGEST] for name in ("site", "robot"))
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
        return cls(int(weeks) if weeks in map(str, WEEKS) else USUAL, site, robot, max(1, number))

    def address(self, **changes: str | int) -> str:
        """The query for this with some of it changed, from its first page."""
        one = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        parts = {"weeks": one.weeks if one.weeks != USUAL else "", "site": one.site, "robot": one.robot}
        parts["page"] = one.page if one.page > 1 else ""
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    def days(self, today: date) -> tuple[date, date]:
        """First and last day: whole weeks that begin on Monday, the last one as far as it has come."""
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(weeks=self.weeks - 1), today
