"""Readings whose PUBACK waits for the bridge's: who holds how many, and which bridge has which. No sockets and no clock.

A plain reading is acknowledged to its publisher when a bridge acknowledges it, which it does after the commit. Until then it
is held here, and given to the next bridge when its own goes away. What is full makes publishers wait: nothing is dropped.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

from croody_contract.limits import KIB, MIB

#: Of one client, over all its connections: what its earlier connections left counts, or coming back would make room.
MOST_A_CLIENT: Final = 1_000
BYTES_A_CLIENT: Final = 8 * MIB
#: Of all clients together.
MOST: Final = 24_000
BYTES: Final = 64 * MIB
#: What a bridge has and has not acknowledged. Two relays fill the time of one commit; a backlog in its socket would cost it its connection.
WINDOW: Final = 8_000
WINDOW_BYTES: Final = 8 * MIB
#: Numbers that held readings have towards bridges, so that a redelivery has its old one. Other messages have those below.
#: There are so many more than may be held that a number comes again only long after its message was committed.
FIRST_NUMBER: Final = 32_768
LAST_NUMBER: Final = 65_535
#: What a held reading costs beside its text, in bytes.
_OVERHEAD_BYTES: Final = KIB // 2


class Publisher(Protocol):
    """Who waits for an answer."""

    def answer_held(self, answer: bytes) -> None:
        """Write the answer out; a connection that is over forgets it."""

    def go_on(self) -> None:
        """There is room again: read further."""


class Carrier(Protocol):
    """A bridge."""

    def carry(self, topic: str, payload: bytes, number: int, *, again: bool) -> None:
        """Write a reading out. `again`: a bridge had it before."""


@dataclass(eq=False, slots=True)
class Held:
    """One reading. `publisher`: none when its connection is over; it is delivered all the same."""

    client_id: str
    packet_id: int
    topic: str
    payload: bytes
    answer: bytes
    publisher: Publisher | None
    number: int = 0
    place: int = 0
    carrier: Carrier | None = None
    again: bool = False

    @property
    def size(self) -> int:
        """What it costs, in bytes."""
        return len(self.payload) + len(self.topic) + _OVERHEAD_BYTES


@dataclass(slots=True)
class _Sum:
    count: int = 0
    size: int = 0

    def add(self, held: Held) -> None:
        self.count += 1
        self.size += held.size

    def take(self, held: Held) -> None:
        self.count -= 1
        self.size -= held.size


@dataclass(slots=True)
class _Load(_Sum):
    numbers: dict[int, None] = field(default_factory=dict)


class Receipts:
    """All that is held."""

    def __init__(self, *, first_number: int = FIRST_NUMBER) -> None:
        """`first_number`: where counting begins; at random, so that a broker that was started again uses other ones first."""
        self._next = first_number
        self._places = 0
        self._held: dict[int, Held] = {}
        self._by_packet: dict[tuple[str, int], Held] = {}
        self._clients: dict[str, _Sum] = {}
        self._all = _Sum()
        self._carriers: dict[Carrier, _Load] = {}
        self._waiting: deque[Held] = deque()
        self._paused: dict[str, dict[Publisher, int]] = {}

    def __len__(self) -> int:
        return self._all.count

    # -- publishers ------------------------------------------------------------------------------------------------

    def room(self, client_id: str, size: int) -> bool:
        """Say whether a reading of `size` bytes may be held for this client now."""
        mine = self._clients.get(client_id)
        if mine is not None and (mine.count >= MOST_A_CLIENT or mine.size + size > BYTES_A_CLIENT):
            return False
        return self._all.count < MOST and self._all.size + size <= BYTES

    def pause(self, publisher: Publisher, client_id: str, size: int) -> None:
        """Call `go_on` once there is room."""
        self._paused.setdefault(client_id, {})[publisher] = size

    def find(self, client_id: str, packet_id: int) -> Held | None:
        """What is held of this client under this packet id."""
        return self._by_packet.get((client_id, packet_id))

    def hold(self, held: Held) -> None:
        """Hold a reading and give it to a bridge as soon as one has room."""
        held.number, held.place = self._free_number(), self._places
        self._places += 1
        self._held[held.number] = held
        if held.packet_id:
            self._by_packet[held.client_id, held.packet_id] = held
        self._clients.setdefault(held.client_id, _Sum()).add(held)
        self._all.add(held)
        self._waiting.append(held)
        self._deal()

    def left(self, publisher: Publisher, client_id: str) -> None:
        """A publisher's connection is over. What it has sent stays held."""
        self._unpause(publisher, client_id)
        if client_id in self._clients:
            for held in self._held.values():
                if held.publisher is publisher:
                    held.publisher = None

    # -- bridges ---------------------------------------------------------------------------------------------------

    @property
    def carriers(self) -> list[Carrier]:
        """Bridges, those with the least to do first."""
        return sorted(self._carriers, key=lambda carrier: self._carriers[carrier].count)

    def join(self, carrier: Carrier) -> None:
        """A bridge takes part from now on."""
        if carrier not in self._carriers:
            self._carriers[carrier] = _Load()
            self._deal()

    def leave(self, carrier: Carrier) -> None:
        """A bridge is gone: what it has not acknowledged goes to the others, or waits for the next, oldest first."""
        load = self._carriers.pop(carrier, None)
        if load is None:
            return
        back = [self._held[number] for number in load.numbers]
        for held in back:
            held.carrier, held.again = None, True
        self._waiting = deque(sorted([*back, *self._waiting], key=lambda held: held.place))
        self._deal()

    def acknowledged(self, carrier: Carrier, number: int) -> None:
        """A bridge has acknowledged: so may we. What it was not given, or others have by now, it cannot acknowledge."""
        held = self._held.get(number)
        if held is None or held.carrier is not carrier:
            return
        load = self._carriers[carrier]
        del load.numbers[number]
        load.take(held)
        self._forget(held)
        if held.publisher is not None:
            held.publisher.answer_held(held.answer)
        self._deal()
        if self._paused:
            self._wake(held.client_id)

    def _forget(self, held: Held) -> None:
        del self._held[held.number]
        if self._by_packet.get((held.client_id, held.packet_id)) is held:
            del self._by_packet[held.client_id, held.packet_id]
        mine = self._clients[held.client_id]
        mine.take(held)
        if not mine.count:
            del self._clients[held.client_id]
        self._all.take(held)

    def _deal(self) -> None:
        while self._waiting:
            held = self._waiting[0]
            carrier = self._least_busy(held)
            if carrier is None:
                return
            self._waiting.popleft()
            load = self._carriers[carrier]
            load.add(held)
            load.numbers[held.number] = None
            held.carrier = carrier
            carrier.carry(held.topic, held.payload, held.number, again=held.again)

    def _least_busy(self, held: Held) -> Carrier | None:
        free = [
            carrier
            for carrier, load in self._carriers.items()
            if load.count < WINDOW and load.size + held.size <= max(WINDOW_BYTES, held.size)
        ]
        return min(free, key=lambda carrier: self._carriers[carrier].count, default=None)

    def _wake(self, client_id: str) -> None:
        """One reading less: a publisher of the same client may go on, or else the first whom the sum of all has stopped."""
        for other in (client_id, *self._paused):
            for publisher, size in self._paused.get(other, {}).items():
                if self.room(other, size):
                    self._unpause(publisher, other)
                    publisher.go_on()
                    return

    def _unpause(self, publisher: Publisher, client_id: str) -> None:
        waiting = self._paused.get(client_id, {})
        waiting.pop(publisher, None)
        if not waiting:
            self._paused.pop(client_id, None)

    def _free_number(self) -> int:
        while True:
            number, self._next = self._next, self._next + 1 if self._next < LAST_NUMBER else FIRST_NUMBER
            if number not in self._held:
                return number
