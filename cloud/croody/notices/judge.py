"""When a rule raises its alarm and when that is over: duration and hysteresis. Pure.

Of what is not known nothing follows: what was said stays said.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from croody.notices.grammar import Truth


class Turn(Enum):
    """What a look at a robot changes."""

    NOTHING = "nothing"
    RAISES = "raises"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Held:
    """What is remembered of a rule and a robot. `since`: when the condition began to hold."""

    since: datetime | None = None
    firing: bool = False

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to remember."""
        return self.since is None and not self.firing


def turn(held: Held, raises: Truth, clears: Truth, at: datetime, for_s: float) -> tuple[Held, Turn]:
    """One look.

    Args:
        raises, clears: the two conditions as of `at`.
        for_s: how long the first one must hold.
    """
    if held.firing:
        return (Held(), Turn.ENDS) if clears.surely else (held, Turn.NOTHING)
    if raises.surely:
        since = held.since or at
        if at - since >= timedelta(seconds=for_s):
            return Held(since, firing=True), Turn.RAISES
        return replace(held, since=since), Turn.NOTHING
    return (Held(), Turn.NOTHING) if not raises.true else (held, Turn.NOTHING)
