"""Metrics over time, in buckets that all of them share. Reads only; how they are read is `telemetry.read.series`'s."""

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Problem
from croody.api.schemas import SeriesOut
from croody.fleet.access import Action, asking, need
from croody.telemetry.read import series as read
from croody.web.times import Time

router = Router(tags=["series"])
Aggregate = Literal["mean", "low", "high", "count"]
_AGGREGATES: Final[tuple[Aggregate, ...]] = ("mean", "low", "high", "count")


@router.get(
    "/series",
    auth=Asks(Action.SEE),
    response={200: SeriesOut, 404: Problem, **ERRORS},
    summary="Metrics over time, in buckets",
    exclude_unset=True,
)
def series(
    request: HttpRequest,
    robot_id: Annotated[list[str], Query(min_length=1, max_length=read.MOST_LINES, description="Of which robots")],
    metric: Annotated[list[str], Query(min_length=1, max_length=read.MOST_LINES, description="Which of their metrics")],
    start: Time,
    end: Time,
    step_s: Annotated[int | None, Query(ge=1, le=10**9, description="Length of a bucket; kept exactly, or refused")] = None,
    buckets: Annotated[int, Query(ge=1, le=read.MOST_BUCKETS, description="How many at most, where there is no step_s")] = 400,
    aggregate: Annotated[list[Aggregate], Query(max_length=4, description="What of each bucket; all four without it")] = [],  # noqa: B006
) -> dict[str, Any]:
    """Any range takes as long: from readings where few lie in it, else from minutes, else from hours. At most 32 lines."""
    for one in robot_id:
        need(asking(request), Action.SEE, one)
    found = read.series(robot_id, metric, start, end, now=timezone.now(), step_s=step_s, buckets=buckets)
    wanted = aggregate or _AGGREGATES
    return {
        "start": found.start,
        "end": found.end,
        "step_s": found.step_s,
        "source": found.source,
        "at": found.at,
        "lines": [
            {"robot_id": line.robot_id, "metric": line.metric, **{name: getattr(line, name) for name in wanted}} for line in found.lines
        ],
    }
