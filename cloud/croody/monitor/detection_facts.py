"""What was noticed about the robots a person works with: verdicts and what screening misses, as facts. Words nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from croody.accounts.caller import Caller
from croody.detection.windows import queries
from croody.detection.windows.queries import Missed, Tally
from croody.fleet import access

OVER: Final = timedelta(hours=24)
#: Verdicts on the page.
SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Noticed:
    """`verdicts`: the last `SHOWN`, newest first."""

    tally: Tally
    missed: Missed
    verdicts: tuple[Mapping[str, Any], ...]


def read(caller: Caller, now: datetime) -> Noticed | None:
    """None for whoever works with no robot: what was noticed about a shared robot is not for those who merely watch it."""
    robots = access.robots(caller, access.Action.INSPECT)
    if not robots.exists():
        return None
    return Noticed(
        tally=queries.tally(robots, now - OVER),
        missed=queries.missed(robots, None, now - queries.MISSED_OVER),
        verdicts=tuple(queries.latest(robots, None, SHOWN)),
    )
