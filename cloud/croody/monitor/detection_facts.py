"""What was noticed about the robots a person works with: verdicts and open alarms, as facts. Words nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from croody.accounts.caller import Caller
from croody.alarms.kinds import SEVERITIES
from croody.alarms.models import Alarm
from croody.alarms.queries import Robots, in_one_list, robots_of
from croody.detection.windows import queries
from croody.detection.windows.queries import Missed, Tally
from croody.fleet import access

OVER: Final = timedelta(hours=24)
#: Verdicts and alarms on the page; the alarms are all counted.
SHOWN: Final = 10
#: Robots of one alarm that are named; all are counted.
NAMED: Final = 8
#: More open alarms than this are not looked at: they are the newest.
MOST_ALARMS: Final = 1000


@dataclass(frozen=True, slots=True)
class Noticed:
    """`verdicts`: the last `SHOWN`, newest first. `alarms`: the open ones, worst first, and `open_alarms` how many there are."""

    tally: Tally
    missed: Missed
    verdicts: tuple[Mapping[str, Any], ...]
    alarms: tuple[Alarm, ...]
    open_alarms: int
    robots: Mapping[int, Robots]


def read(caller: Caller, now: datetime) -> Noticed | None:
    """None for whoever works with no robot: what was noticed about a shared robot is not for those who merely watch it."""
    robots = access.robots(caller, access.Action.INSPECT)
    if not robots.exists():
        return None
    still_open = in_one_list(caller).filter(resolved_at=None)
    ranks = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    newest = list(still_open[:MOST_ALARMS])
    worst = sorted(newest, key=lambda alarm: ranks.get(alarm.severity, len(ranks)))
    return Noticed(
        tally=queries.tally(robots, now - OVER),
        missed=queries.missed(robots, None, now - queries.MISSED_OVER),
        verdicts=tuple(queries.latest(robots, None, SHOWN)),
        alarms=tuple(worst[:SHOWN]),
        robots=robots_of(worst[:SHOWN], caller, NAMED),
        open_alarms=len(newest) if len(newest) < MOST_ALARMS else still_open.count(),
    )
