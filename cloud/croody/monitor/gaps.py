"""Is what is missing of a robot a gap? Two batches on their way may be stored the later one first. Pure: `now` is an argument."""

from dataclasses import dataclass
from typing import Final, Literal

from croody.monitor.entry import Delivery

#: What is missing for less than this is still on its way, in seconds.
ON_ITS_WAY_S: Final = 5.0
#: While something of it came within this, the gap is being filled, in seconds.
REFILLS_S: Final = 15.0
#: Who was not looked at for so long is met anew, in seconds.
_FORGOTTEN_S: Final = 60.0

#: `""`: nothing is missing but what was dropped; `"young"`: it is on its way.
Sign = Literal["", "young", "refill", "gap", "gone"]


@dataclass(frozen=True, slots=True)
class _Seen:
    missing: int
    rose_at: float
    fell_at: float
    at: float


class Gaps:
    """What was missing of each robot a moment ago. A robot that is met for the first time has what it has: nobody saw it come."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def sign(self, robot_id: str, delivered: Delivery, now: float) -> Sign:
        """What its delivery shows now."""
        before = self._seen.get(robot_id)
        long_ago = float("-inf")
        rose_at = before.rose_at if before else long_ago
        fell_at = before.fell_at if before else long_ago
        if before is not None and delivered.missing and not before.missing:
            rose_at = now
        if before is not None and delivered.missing < before.missing:
            fell_at = now
        self._seen[robot_id] = _Seen(delivered.missing, rose_at, fell_at, now)
        if not delivered.missing:
            return "gone" if delivered.dropped else ""
        if now - rose_at < ON_ITS_WAY_S:
            return "young"
        return "refill" if now - fell_at < REFILLS_S else "gap"

    def forget(self, now: float) -> None:
        """Drop who is not on any page any more."""
        self._seen = {robot_id: seen for robot_id, seen in self._seen.items() if now - seen.at < _FORGOTTEN_S}
