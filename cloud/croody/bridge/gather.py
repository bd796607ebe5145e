"""What goes into one relay: from whose turn it is, and how much. Knows neither sockets nor threads.

Who sends one publish that unpacks to four megabytes has its share of a relay each time, like anybody else: what is left of it waits
behind the others, as if it had come just now.
"""

import time
from collections.abc import Sequence
from typing import Final

import msgspec

from croody.bridge import handler
from croody.bridge.handler import Item
from croody.bridge.inbox import Inbox, Message, lane_of
from croody.bridge.robot_limits import RobotLimits, robot_of
from croody_contract import relay
from croody_contract.limits import KIB

#: A relay is closed when it holds about so much, well below the API's limit of 1 MiB, or so many items.
RELAY_BYTES: Final = 640 * KIB
RELAY_ITEMS: Final = 2000
#: Of one publish a relay takes about so much at a turn.
SHARE_BYTES: Final = 256 * KIB
_LEAST_ROOM: Final = 8 * KIB


class Gatherer:
    """Fills relays from the inbox. Safe between threads that have claimed different lanes."""

    def __init__(self, inbox: Inbox, limits: RobotLimits) -> None:
        self._inbox = inbox
        self._limits = limits

    def gather(self, lanes: Sequence[int]) -> list[Item]:
        """Whatever is queued in these lanes, up to one relay; what does not fit is put back."""
        items: list[Item] = []
        size = 0
        #: Lanes of which somebody had a share of this relay and has more.
        behind: set[int] = set()
        while RELAY_BYTES - size >= _LEAST_ROOM and len(items) < RELAY_ITEMS:
            most, room = RELAY_ITEMS - len(items), RELAY_BYTES - size
            ahead = [lane for lane in lanes if lane not in behind]
            messages = self._inbox.take(ahead, most, room) or self._inbox.take(lanes, most, room)
            if not messages:
                break
            for index, message in enumerate(messages):
                found = self._read(message)
                count, more = _fitting(found, RELAY_BYTES - size, RELAY_ITEMS - len(items), first=not items)
                items += found[:count]
                size += more
                if count < len(found):
                    self._put_back(messages[index:], found[count:], begun=bool(count))
                    if not count:
                        return items
                    behind.add(lane_of(message.topic))
                    break
        return items

    def _put_back(self, messages: Sequence[Message], rest: Sequence[Item], *, begun: bool) -> None:
        """Messages that were taken and did not fit. Of the first one `rest` is left: where it was begun, its robot had its turn."""
        for message in reversed(messages[1:]):
            self._inbox.put_back(message, next_turn=True)
        left = msgspec.structs.replace(messages[0], rest=tuple(rest), rest_bytes=sum(map(handler.size_of, rest)))
        self._inbox.put_back(left, next_turn=not begun)

    def _read(self, message: Message) -> Sequence[Item]:
        """What a message holds; nothing where its robot is beyond its share and sends it again."""
        if message.delivery.number:
            return handler.read(message.topic, message.payload, message.delivery)
        robot_id, now_s = robot_of(message.topic), time.monotonic()
        if message.rest:
            # It is paid for. But if the API holds its robot back by now, it would come in vain.
            return message.rest if not self._limits.rests(robot_id, now_s) else [one for one in message.rest if not _comes_again(one)]
        if not self._limits.has_some(robot_id, now_s):
            return []
        found = handler.read(message.topic, message.payload)
        self._limits.take(robot_id, sum(map(handler.size_of, found)), now_s)
        return found


def _fitting(found: Sequence[Item], room: int, most: int, *, first: bool) -> tuple[int, int]:
    """How many items of one message go into a relay with so much room, and their bytes. The first item of a relay always does."""
    count = size = 0
    for item in found:
        more = handler.size_of(item)
        if count == most or (size + more > (min(room, SHARE_BYTES) if count else room) and not (first and not count)):
            break
        count, size = count + 1, size + more
    return count, size


def _comes_again(item: Item) -> bool:
    return isinstance(item, relay.BatchItem)
