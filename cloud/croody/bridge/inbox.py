"""What came from the broker and is not yet relayed: bounded in bytes. Knows which messages come again by themselves.

Batches are left out when there is no room, or when more of one robot waits than its share: their robots send them again. Plain readings
at QoS 1 always have room: they are acknowledged after the commit only, and the broker's window says how many of them there are.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

import msgspec

from croody.bridge.handler import Item
from croody.bridge.receipts import UNNUMBERED, Delivery
from croody.bridge.robot_limits import MOST_WAITING, robot_of
from croody_contract.limits import MIB
from croody_contract.topics import ROOT

#: Everything that waits, in bytes. Above it batches are left out: their robots keep them and send them again.
CAPACITY_BYTES: Final = 32 * MIB
#: What is no batch, and not held by the broker either, has this much room of its own beyond `CAPACITY_BYTES`.
PLAIN_EXTRA_BYTES: Final = 8 * MIB
#: What was read and did not fit into its relay, in bytes: while there is more of it, it goes before what is not read yet.
READ_BYTES: Final = 8 * MIB
#: What a waiting message costs beside its payload, in bytes.
_OVERHEAD_BYTES: Final = 256
LANES: Final = (0, 1)
#: So many plain readings are worth a relay of their own beside another: below, its cost is mostly that of any relay.
WORTH_A_RELAY: Final = 300
#: What a batch counts for, in plain readings.
_BATCH_WORK: Final = 50
#: Where a topic names its robot.
_ROBOT_AT: Final = len(ROOT) + 1


class Message(msgspec.Struct, frozen=True, gc=False):
    """One publish as it came. `rest`: what of it has not gone yet, of so many bytes, when a part of it went before."""

    topic: str
    payload: bytes
    delivery: Delivery = UNNUMBERED
    rest: tuple[Item, ...] = ()
    rest_bytes: int = 0


class Inbox:
    """A queue between the network thread and the relay threads. `put_all` never blocks: the network thread must answer pings.

    What one robot says is in one of two lanes, in the order it came. Who takes out claims lanes, so nothing overtakes: both of them
    while little waits, one of them each when there is enough for two relays at once. In a lane robots have their turns: who sends
    much, or what costs much, is behind a relay of the others each time, and they never behind all that is theirs.
    """

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES, plain_extra_bytes: int = PLAIN_EXTRA_BYTES) -> None:
        self._capacity = capacity_bytes
        self._plain_extra = plain_extra_bytes
        #: Of each lane: robot -> what waits of it. Whose turn is next comes first.
        self._waiting: tuple[OrderedDict[str, deque[Message]], ...] = tuple(OrderedDict() for _ in LANES)
        self._count = 0
        self._work = [0 for _ in LANES]
        self._claimed = [False for _ in LANES]
        self._repeats: dict[str, bytes] = {}
        self._bytes = 0
        #: Of what was read and waits for another turn.
        self.read_bytes = 0
        #: Robot -> how much of that is its own.
        self._of_robots: dict[str, int] = {}
        self._ready = threading.Condition()
        self._left_out = 0

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
                name = _name_of(message.topic)
                lane = _lane_of(name)
                self._waiting[lane].setdefault(name, deque()).append(message)
                self._booked(message, lane)
            self._left_out += len(left_out)
            self._ready.notify_all()
        return left_out

    def claim(self, timeout_s: float, lane: int) -> Sequence[int]:
        """The lanes that the caller alone may take from, until it releases them; none when nothing came within `timeout_s`.

        `lane`: which one when there is a choice.
        """
        with self._ready:
            found = self._free(lane)
            if not found:
                self._ready.wait(timeout_s)
                found = self._free(lane)
            for one in found:
                self._claimed[one] = True
            return found

    def take(self, lanes: Sequence[int], most: int, most_bytes: int) -> list[Message]:
        """What is next of the robot whose turn it is; if it is plain, all plain ones in a row, and those of robots behind it.

        Of about so many bytes. None: nothing waits.
        """
        with self._ready:
            # What is short goes first, or it would wait behind what is long for ever.
            lane = min((lane for lane in lanes if self._waiting[lane]), key=self._work.__getitem__, default=None)
            if lane is None:
                return []
            waiting = self._waiting[lane]
            if self.read_bytes > READ_BYTES:
                _first_of_all(waiting)
            name, mine = next(iter(waiting.items()))
            if mine[0].delivery.number:
                taken = _plain_ones(waiting, most, most_bytes)
                self._work[lane] -= len(taken)
            else:
                taken = [mine.popleft()]
                _turned(waiting, name)
                self._work[lane] -= _work_of(taken[0])
                self._went(taken[0])
            self._count -= len(taken)
            self._bytes -= sum(len(message.payload) + _OVERHEAD_BYTES for message in taken)
            self.read_bytes -= sum(message.rest_bytes for message in taken)
            return taken

    def put_back(self, message: Message, *, next_turn: bool) -> None:
        """What was taken, or what is left of it: before all else that waits of its robot.

        `next_turn`: nothing of it went, so its robot is the next; else it is behind the others.
        """
        with self._ready:
            name = _name_of(message.topic)
            lane = _lane_of(name)
            waiting = self._waiting[lane]
            waiting.setdefault(name, deque()).appendleft(message)
            if next_turn:
                waiting.move_to_end(name, last=False)
            self._booked(message, lane)
            self.read_bytes += message.rest_bytes
            if not message.delivery.packet:
                robot_id = robot_of(message.topic)
                self._of_robots[robot_id] = self._of_robots.get(robot_id, 0) + len(message.payload) + _OVERHEAD_BYTES
                if "/up/batch/" in message.topic:
                    self._repeats.setdefault(message.topic, message.payload)

    def _booked(self, message: Message, lane: int) -> None:
        """Count what waits now."""
        self._count += 1
        self._work[lane] += 1 if message.delivery.number else _work_of(message)
        self._bytes += len(message.payload) + _OVERHEAD_BYTES

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

    def release(self, lanes: Sequence[int]) -> None:
        """Everything that was taken of these is delivered."""
        with self._ready:
            for lane in lanes:
                self._claimed[lane] = False
            self._ready.notify_all()

    def idle(self) -> bool:
        """Say whether nothing waits and nothing that was taken is still on its way."""
        with self._ready:
            return not any(self._waiting) and not any(self._claimed)

    def __len__(self) -> int:
        return self._count

    def take_left_out(self) -> int:
        """How many messages were left out since the last time this was asked."""
        with self._ready:
            count, self._left_out = self._left_out, 0
            return count

    def _free(self, lane: int) -> Sequence[int]:
        if not any(self._claimed):
            if min(self._work) >= WORTH_A_RELAY:
                return (lane,)
            return LANES if any(self._waiting) else ()
        return [one for one in LANES if not self._claimed[one] and self._work[one] >= WORTH_A_RELAY]


def _work_of(message: Message) -> int:
    return _BATCH_WORK if "/up/batch/" in message.topic else 1


def lane_of(topic: str) -> int:
    """The lane of the robot that a topic names."""
    return _lane_of(_name_of(topic))


def _lane_of(name: str) -> int:
    """Of names that differ in their last digit alone, this bit of the sum differs evenly."""
    return crc32(name.encode()) >> 24 & 1


def _name_of(topic: str) -> str:
    """Where a robot's name stands in a topic of ours; of another topic, some of it."""
    return topic[_ROBOT_AT : topic.find("/", _ROBOT_AT)]


def _first_of_all(waiting: "OrderedDict[str, deque[Message]]") -> None:
    """Let the first robot of which something is read have the next turn."""
    name = next((name for name, mine in waiting.items() if mine[0].rest), None)
    if name is not None:
        waiting.move_to_end(name, last=False)


def _turned(waiting: "OrderedDict[str, deque[Message]]", name: str) -> None:
    """A robot had its turn: the next one is behind all others'."""
    if waiting[name]:
        waiting.move_to_end(name)
    else:
        del waiting[name]


def _plain_ones(waiting: "OrderedDict[str, deque[Message]]", most: int, most_bytes: int) -> list[Message]:
    """Plain readings of each robot in its turn, up to what is none; of about so many bytes."""
    taken: list[Message] = []
    size = 0
    for _ in range(len(waiting)):
        name, mine = next(iter(waiting.items()))
        if not mine[0].delivery.number:
            break
        while mine and mine[0].delivery.number and len(taken) < most and size < most_bytes:
            taken.append(mine.popleft())
            size += len(taken[-1].payload) + _OVERHEAD_BYTES
        _turned(waiting, name)
        if len(taken) >= most or size >= most_bytes:
            break
    return taken
