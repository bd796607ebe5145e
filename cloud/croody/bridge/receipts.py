"""Which of the broker's deliveries wait for their commit. Knows packet ids and connections, never sockets.

A packet id means something only on the connection that brought it, or where the broker says of a message that it brings it
again (DUP). So each acknowledgement names the connection, and one of a connection that is over is never sent.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from croody.bridge.received import Received
from croody_contract.relay import Sender


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """How a message came. `number`: counted in this run; `packet`: its packet id, 0 when it wants no acknowledgement."""

    number: int = 0
    packet: int = 0
    again: bool = False


#: Of what nobody waits for.
UNNUMBERED: Final = Delivery()
#: So much may be open. Brokers that keep to their own window (4,000 or 8,000) never come to it; Mosquitto before 2.0.14 does not.
MOST_OPEN: Final = 8_192
#: How long who reads waits for room at once, in seconds: acknowledgements wait as long.
ROOM_WAIT_S: Final = 0.02
_NOBODY: Final = (0, 0)


class Receipts:
    """What is open. `acknowledge(packets)` is called under the lock, so that no connection begins or ends meanwhile; it must not wait."""

    def __init__(
        self,
        bridge: str,
        session: str,
        acknowledge: Callable[[Sequence[int]], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        received: Received | None = None,
    ) -> None:
        self._bridge = bridge
        self._session = session
        self._run = secrets.token_hex(8)
        self._acknowledge = acknowledge
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        #: How many of those that are open have a packet id.
        self._owed = 0
        self._connection = 0
        self._connected = False
        self._clock = clock
        self._received = received or Received()
        self._next = 1
        #: Open numbers whose connection is over.
        self._stale: set[int] = set()
        #: number -> (packet id, connection)
        self._open: dict[int, tuple[int, int]] = {}

    def connected(self) -> None:
        """A connection begins."""
        with self._lock:
            self._connection += 1
            self._connected = True

    def lost(self) -> None:
        """It is over: nothing of it is acknowledged any more, and the broker may give what is open to another bridge."""
        with self._lock:
            self._connected = False
            self._received.ended(next(iter(self._open), self._next), self._clock())
            self._stale = {number for number, (packet, _) in self._open.items() if packet}

    def take(self, packet: int, topic: str, payload: bytes, *, again: bool) -> Delivery | None:
        """Number a message. None when it is here already: what is still open is acknowledged when its time comes."""
        known = hash((topic, payload))
        with self._lock:
            before = self._received.find(packet, known) if again and packet else None
            if before is not None:
                if before in self._open:
                    self._open[before] = (packet, self._connection)
                    self._stale.discard(before)
                else:
                    self._acknowledge([packet])
                return None
            number = self._received.add(packet, known, self._clock())
            self._next = number + 1
            self._open[number] = (packet, self._connection)
            if packet:
                self._owed += 1
        return Delivery(number, packet, again)

    def settle(self, numbers: Iterable[int]) -> None:
        """These are committed, or their end was told: acknowledge those whose connection lives."""
        owed = []
        with self._lock:
            for number in numbers:
                packet, connection = self._open.pop(number, _NOBODY)
                if self._stale:
                    self._stale.discard(number)
                if packet:
                    self._owed -= 1
                    if self._connected and connection == self._connection:
                        owed.append(packet)
            if owed:
                self._acknowledge(owed)
            if self._owed < MOST_OPEN:
                self._room.notify()

    def has_room(self) -> bool:
        """Say whether more may be taken; waits a moment for it."""
        if self._owed < MOST_OPEN:
            return True
        with self._lock:
            return self._room.wait_for(lambda: self._owed < MOST_OPEN, ROOM_WAIT_S)

    def stale(self) -> frozenset[int]:
        """Numbers that another bridge may have been given meanwhile."""
        with self._lock:
            return frozenset(self._stale)

    def sender(self) -> Sender:
        """What a relay says about us now."""
        with self._lock:
            return Sender(self._bridge, self._run, next(iter(self._open), self._next), self._session)

    def __len__(self) -> int:
        return len(self._open)
