"""Whether a robot counts as screened, with hysteresis: one late reading changes nothing, and nothing flips to and fro. Pure."""

from dataclasses import dataclass, replace
from typing import Final, Literal

#: Without a score for so long, over so many readings, and screening is said to have stopped.
STOP_AFTER_S: Final = 60.0
STOP_AFTER: Final = 5
#: So many scores in a row, and it is said to have started again.
START_AFTER: Final = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """`scored_at`: when a window was scored last, or the first reading came. `row`: scores in a row, or readings in a row without one."""

    works: bool = True
    scored_at: float | None = None
    row: int = 0


News = Literal["stopped", "started"] | None


def looked(standing: Standing, scored: bool, now: float) -> tuple[Standing, News]:
    """What one more reading makes of it.

    Args:
        standing: after the reading before.
        scored: whether this reading completed a window that was scored.
        now: unix seconds.
    """
    since = standing.scored_at
    if since is None or now < since:  # the first one, or a clock that was set back
        since = now
    if standing.works:
        if scored:
            return Standing(True, now), None
        standing = Standing(True, since, standing.row + 1)
        if standing.row >= STOP_AFTER and now - since >= STOP_AFTER_S:
            return Standing(False, since), "stopped"
        return standing, None
    standing = replace(standing, row=standing.row + 1 if scored else 0)
    return (Standing(True, now), "started") if standing.row >= START_AFTER else (standing, None)
