"""What screening on board probably missed of a network: from the sample of what it cleared, by robot and by the limits that screened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q, QuerySet, Sum

from croody.detection.models import DeviceWindow
from croody.detection.windows.queries import Missed, wilson
from croody.fleet.models import Robot

#: Robots and limits of one answer; those with most windows first.
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one robot and one set of limits (`screen`).

    `missed` is of the sample, with the 95 % interval of the share; `missed_windows`, `least`, `most`: of all windows that were cleared.
    `sent`: windows that came up, `saved`: the share of all that stayed on board, None where there were none.
    """

    robot_id: str
    screen: str
    cleared: int
    suspected: int
    sent: int
    saved: float | None
    missed: Missed
    missed_windows: float | None
    least: float
    most: float


def estimates(robots: QuerySet[Robot], since: datetime, most: int = MOST) -> list[Estimate]:
    """Of these robots since then."""
    rows = DeviceWindow.objects.filter(robot_id__in=robots.values("pk"), at__gte=since).order_by().values("robot_id", "screen")
    sampled = Q(sampled=True)
    counted = rows.annotate(
        cleared_all=Sum("cleared"),
        suspected_all=Sum("suspected"),
        sent=Count("pk"),
        looked=Count("pk", sampled),
        missed=Count("pk", sampled & Q(confirmed=True)),
    )
    return [
        estimate(
            row["robot_id"],
            row["screen"],
            cleared=row["cleared_all"],
            suspected=row["suspected_all"],
            sent=row["sent"],
            looked=row["looked"],
            missed=row["missed"],
        )
        for row in counted.order_by("-cleared_all", "robot_id", "screen")[:most]
    ]


def estimate(robot_id: str, screen: str, *, cleared: int, suspected: int, sent: int, looked: int, missed: int) -> Estimate:
    """From counts. The interval is that of the share (Wilson), times how many were cleared. Pure."""
    found, every = wilson(missed, looked), cleared + suspected
    return Estimate(
        robot_id=robot_id,
        screen=screen,
        cleared=cleared,
        suspected=suspected,
        sent=sent,
        saved=1 - min(sent, every) / every if every else None,
        missed=found,
        missed_windows=found.share * cleared if found.share is not None else None,
        least=found.low * cleared,
        most=found.high * cleared,
    )
