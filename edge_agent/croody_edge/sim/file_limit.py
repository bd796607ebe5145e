"""How many files a process may hold open, and how many a fleet needs. Knows the limits of this process."""

import resource
from typing import Final

from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: Of one robot (measured): outbox, WAL, its index, watermark and its map, lock, connection, and the pair that wakes its thread.
PER_ROBOT: Final = 9
#: Libraries, the log, the witness, clients of the TCP protocol, and outboxes that are rescued.
BESIDE: Final = 96


def make_room(robots: int) -> None:
    """Raise the soft limit, as far as it may go, when this many robots need it.

    Raises:
        BadSetting: even the hard limit is too low; says how many robots would do and how to raise it.
    """
    need = robots * PER_ROBOT + BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or need <= soft:
        return
    if hard != resource.RLIM_INFINITY and need > hard:
        raise BadSetting(text("sim.too_few_files", robots=robots, need=need, hard=hard, most=max(0, (hard - BESIDE) // PER_ROBOT)))
    resource.setrlimit(resource.RLIMIT_NOFILE, (need if hard == resource.RLIM_INFINITY else hard, hard))
