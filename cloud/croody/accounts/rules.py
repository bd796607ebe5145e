"""Who a view is for, said at the view where it is no question of a robot. Says it and nothing more: a test holds every view to its word.

What is a question of a robot is `fleet.access.Needs` or an `Action` of it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def open_to(who: str) -> Callable[[View], View]:
    """Mark a view: `anybody`, `people` (who are signed in), `staff`, `superuser`, `bridge`, `demo`, or an action of `fleet.access`."""

    def mark(view: View) -> View:
        view.rule = who  # type: ignore[attr-defined]
        return view

    return mark
