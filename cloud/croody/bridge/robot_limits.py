"""How much of one robot the bridge carries: unpacked bytes by a bucket, and packed bytes that wait. Pure; `now_s` is an argument.

A few packed kilobytes may unpack to four megabytes, and a broker counts what is packed. What is beyond a robot's share is left out, as
when the queue is full: batches come again, and presence and answers do, too. Plain readings are never left out: somebody waits for them.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from croody_contract.limits import KIB, MAX_PUBLISH_BYTES, MIB

#: What a robot may send, unpacked; and what may come at once.
BYTES_S: Final = 2 * MIB
BURST_BYTES: Final = 8 * MIB
#: A robot that the telemetry API holds back is not carried for so long: what it sends would take the place of the others'.
REST_S: Final = 1.0
#: What a message costs beside its bytes.
MESSAGE_BYTES: Final = KIB
#: Of one robot so much may wait in the queue, packed: what an agent has on its way at most.
MOST_WAITING: Final = 8 * MAX_PUBLISH_BYTES
_REMEMBERED: Final = 50_000


class RobotLimits:
    """A bucket for each robot."""

    def __init__(self) -> None:
        #: Robot -> when its bucket would be full, if nothing more were taken.
        self._full_at_s: OrderedDict[str, float] = OrderedDict()
        #: Robot -> until when the API does not want to hear of it.
        self._rests_until_s: OrderedDict[str, float] = OrderedDict()

    def has_some(self, robot_id: str, now_s: float) -> bool:
        """Say whether there is something left."""
        return self._full_at_s.get(robot_id, now_s) - now_s < BURST_BYTES / BYTES_S

    def rest(self, robots: Iterable[str], now_s: float) -> None:
        """Carry nothing more of these for a while."""
        for robot_id in robots:
            self._full_at_s[robot_id] = max(self._full_at_s.pop(robot_id, now_s), now_s + BURST_BYTES / BYTES_S + REST_S)
            self._rests_until_s.pop(robot_id, None)
            self._rests_until_s[robot_id] = now_s + REST_S
            if len(self._rests_until_s) > _REMEMBERED:
                self._rests_until_s.popitem(last=False)

    def rests(self, robot_id: str, now_s: float) -> bool:
        """Say whether the API holds it back: also what is paid for would come there in vain."""
        return self._rests_until_s.get(robot_id, now_s) > now_s

    def take(self, robot_id: str, size: int, now_s: float) -> None:
        """Book a message of so many bytes, unpacked, also when it is more than there is."""
        full_at_s = max(self._full_at_s.pop(robot_id, now_s), now_s) + (size + MESSAGE_BYTES) / BYTES_S
        self._full_at_s[robot_id] = full_at_s
        if len(self._full_at_s) > _REMEMBERED:
            self._full_at_s.popitem(last=False)


def robot_of(topic: str) -> str:
    """The robot of an `up` topic, as far as can be told without looking closely."""
    levels = topic.split("/", 3)
    return levels[2] if len(levels) > 3 else ""
