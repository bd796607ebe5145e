"""A page of a list. Pure but for the one query that it is given."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

from ninja import Query

T = TypeVar("T")
#: Rows of one page.
MOST: Final = 200
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most")]
Cursor = Annotated[str, Query(max_length=1024, description="`next` of the page before; the first page without it")]


def page(rows: Sequence[T], limit: int, shown: Callable[[Sequence[T]], list[dict[str, Any]]], place: Callable[[T], str]) -> dict[str, Any]:
    """The answer of a list.

    Args:
        rows: `limit` + 1 of them where there are more than fit.
        limit: how many fit.
        shown: rows -> as they are answered.
        place: the last row that fits -> the cursor of what comes after it.
    """
    some = rows[:limit]
    return {"items": shown(some), "next": place(some[-1]) if len(rows) > limit else None}
