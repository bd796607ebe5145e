"""What came from the broker and is not yet relayed: bounded in bytes. Knows which messages come again by themselves.

Batches are left out when there is no room: their robots send them again. Plain readings at QoS 1 always have room: they
are acknowledged after the commit only, and the broker's window says how many of them there are.
"""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from croody.bridge.receipts import UNNUMBERED, Delivery
from croody_contract.limits import MIB

#: Everything that waits, in bytes. Above it batches are left out: their robots keep them and send them again.
CAPACITY_BYTES: Final = 32 * MIB
#: What is no batch, and not held by the broker either, has this much room of its own beyond `CAPACITY_BYTES`.
PLAIN_EXTRA_BYTES: Final = 8 * MIB
#: What a waiting message costs beside its payload, in bytes.
_OVERHEAD_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Message:
    """One publish as it came."""

    topic: str
    payload: bytes
    delivery: Delivery = UNNUMBERED


class Inbox:
    """A queue between the network thread and the relay thread. `put` never blocks: the network thread must answer pings."""

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES, plain_extra_bytes: int = PLAIN_EXTRA_BYTES) -> None:
        self._capacity = capacity_bytes
        self._plain_extra = plain_extra_bytes
        self._waiting: deque[Message] = deque()
        self._repeats: dict[str, bytes] = {}
        self._bytes = 0
        self._ready = threading.Condition()
        self._left_out = 0
        self._out = False

    def put(self, message: Message) -> bool:
        """Queue a message; False when there is no room and it was left out.

        A batch that waits already, byte for byte, is not queued twice: while the API is down robots go on repeating.
        """
        is_batch = "/up/batch/" in message.topic
        with self._ready:
            if is_batch and self._repeats.get(message.topic) == message.payload:
                return True
            room = self._capacity if is_batch else self._capacity + self._plain_extra
            size = _size(message)
            if self._bytes + size > room and not message.delivery.packet:
                self._left_out += 1
                return False
            self._waiting.append(message)
            self._bytes += size
            if is_batch:
                self._repeats[message.topic] = message.payload
            self._ready.notify()
            return True

    def get(self, timeout_s: float) -> Message | None:
        """The oldest message, or None when none came within `timeout_s`; 0 does not wait."""
        with self._ready:
            if not self._waiting and timeout_s > 0:
                self._ready.wait(timeout_s)
            if not self._waiting:
                return None
            message = self._waiting.popleft()
            self._out = True
            self._bytes -= _size(message)
            if self._repeats.get(message.topic) is message.payload:
                del self._repeats[message.topic]
            return message

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


def _size(message: Message) -> int:
    return len(message.payload) + _OVERHEAD_BYTES
