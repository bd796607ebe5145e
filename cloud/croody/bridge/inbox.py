"""What came from the broker and is not yet relayed: bounded in bytes. Knows which messages come again by themselves.

Batches are left out when there is no room, or when more of one robot waits than its share: their robots send them again. Plain readings
at QoS 1 always have room: they are acknowledged after the commit only, and the broker's window says how many of them there are.
"""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from croody.bridge.receipts import UNNUMBERED, Delivery
from croody.bridge.shares import MOST_WAITING, robot_of
from croody_contract.limits import MIB

#: Everything that waits, in bytes. Above it batches are left out: their robots keep them and send them again.
CAPACITY_BYTES: Final = 32 * MIB
#: What is no batch, and not held by the broker either, has this much room of its own beyond `CAPACITY_BYTES`.
PLAIN_EXTRA_BYTES: Final = 8 * MIB
#: What a waiting message costs beside its payload, in bytes.
_OVERHEAD_BYTES: Final = 256


class Message(msgspec.Struct, frozen=True, gc=False):
    """One publish as it came."""

    topic: str
    payload: bytes
    delivery: Delivery = UNNUMBERED


class Inbox:
    """A queue between the network thread and the relay thread. `put_all` never blocks: the network thread must answer pings."""

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES, plain_extra_bytes: int = PLAIN_EXTRA_BYTES) -> None:
        self._capacity = capacity_bytes
        self._plain_extra = plain_extra_bytes
        self._waiting: deque[Message] = deque()
        self._repeats: dict[str, bytes] = {}
        self._bytes = 0
        #: Robot -> how much of that is its own.
        self._of_robots: dict[str, int] = {}
        self._ready = threading.Condition()
        self._left_out = 0
        self._out = False

    def put_all(self, messages: Iterable[Message]) -> list[Message]:
        """Queue messages; answers those for which there was no room.

        A batch that waits already, byte for byte, is not queued twice: while the API is down robots go on repeating.
        """
        left_out = []
        with self._ready:
            for message in messages:
                size = len(message.payload) + _OVERHEAD_BYTES
                if not message.delivery.packet:
                    is_batch = "/up/batch/" in message.topic
                    if is_batch and self._repeats.get(message.topic) == message.payload:
                        continue
                    if self._bytes + size > (self._capacity if is_batch else self._capacity + self._plain_extra):
                        left_out.append(message)
                        continue
                    if not (message.delivery.number or self._has_room(robot_of(message.topic), size)):
                        left_out.append(message)
                        continue
                    if is_batch:
                        self._repeats[message.topic] = message.payload
                self._waiting.append(message)
                self._bytes += size
            self._left_out += len(left_out)
            self._ready.notify()
        return left_out

    def take(self, timeout_s: float, most: int = 1) -> list[Message]:
        """The oldest message, and if it is plain up to `most` plain ones in a row; none came within `timeout_s`: none. 0 does not wait."""
        with self._ready:
            waiting = self._waiting
            if not waiting and timeout_s > 0:
                self._ready.wait(timeout_s)
            if not waiting:
                return []
            self._out = True
            taken = [waiting.popleft()]
            if taken[0].delivery.number:
                while waiting and len(taken) < most and waiting[0].delivery.number:
                    taken.append(waiting.popleft())
            else:
                self._went(taken[0])
            self._bytes -= sum([len(message.payload) for message in taken]) + _OVERHEAD_BYTES * len(taken)
            return taken

    def _has_room(self, robot_id: str, size: int) -> bool:
        """Say whether so much more of a robot may wait, and count it. The first always may."""
        mine = self._of_robots.get(robot_id, 0)
        if mine and mine + size > MOST_WAITING:
            return False
        self._of_robots[robot_id] = mine + size
        return True

    def _went(self, message: Message) -> None:
        if self._repeats.get(message.topic) is message.payload:
            del self._repeats[message.topic]
        robot_id = robot_of(message.topic)
        left = self._of_robots.pop(robot_id, 0) - len(message.payload) - _OVERHEAD_BYTES
        if left > 0:
            self._of_robots[robot_id] = left

    def done(self) -> None:
        """Everything that was taken is delivered."""
        self._out = False

    def idle(self) -> bool:
        """Say whether nothing waits and nothing that was taken is still on its way."""
        with self._ready:
            return not self._waiting and not self._out

    def __len__(self) -> int:
        return len(self._waiting)

    def take_left_out(self) -> int:
        """How many messages were left out since the last time this was asked."""
        with self._ready:
            count, self._left_out = self._left_out, 0
            return count
