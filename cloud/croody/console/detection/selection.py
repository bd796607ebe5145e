"""Which verdicts the page shows, as its address says it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from croody.web.address import page_number, query_of, typed, whole

#: Rows on a page, and pages that can be turned to: behind them a filter finds what is looked for.
PAGE: Final = 50
MOST_PAGES: Final = 40
#: Every window; without it those that are usual are left out, for nobody need look at them.
ALL: Final = "all"
#: What is asked for -> (suspect at the edge, confirmed by the cloud).
RESULTS: Final[Mapping[str, tuple[bool, bool]]] = {
    "confirmed": (True, True),
    "dismissed": (True, False),
    "missed": (False, True),
    "usual": (False, False),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What the address asks for; what it cannot mean is left out."""

    robot: str = ""
    result: str = ""
    page: int = 1
    #: Incidents older than this one.
    before: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From `?robot=&result=&page=&before=`."""
        result, page = query.get("result", ""), page_number(query.get("page", ""))
        return cls(
            typed(query, "robot"),
            result if result in RESULTS or result == ALL else "",
            min(page, MOST_PAGES),
            whole(query.get("before", "")),
        )

    def address(self, **changes: str | int | None) -> str:
        """The query that asks for this, with some of it changed. Another filter begins at the first page."""
        one = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        return query_of({"robot": one.robot, "result": one.result, "page": one.page if one.page > 1 else "", "before": one.before})
