"""What a run of the bridge was given, in the order it came, so that what a broker brings again is known. Pure; `now_s` is an argument.

A packet id alone does not tell: it comes again after 65,535 messages, and of a robot whose value never changes the bytes do, too. But a
broker redelivers in the order in which it delivered at first, and nothing older than what it had on its way when the connection ended. So
each message that is found again lies behind the one before it.
"""

from array import array
from collections import deque
from typing import Final

#: So many messages are remembered: more than Mosquitto's queue holds, for before 2.0.14 it sends all of that at once.
KEPT: Final = 1 << 19
#: What came longer before the end of a connection than this, and is not open, was acknowledged long ago: in seconds.
REACH_S: Final = 120.0
_PACKETS: Final = 65_536


class Received:
    """Numbers count from 1 without holes; a message without a packet id is counted and never asked for."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._newest = 0
        #: Packet id -> the number that came under it last; and by number, in a ring, the one before under the same id, and the hash.
        self._last = array("q", bytes(8 * _PACKETS))
        self._before = array("q", bytes(8 * kept))
        self._hashes = array("q", bytes(8 * kept))
        #: (when, number) of the first message of each second.
        self._seconds: deque[tuple[float, int]] = deque()
        self._from = 1
        self._first = True

    def add(self, packet: int, known: int, now_s: float) -> int:
        """Give the message with the hash `known` the next number."""
        self._newest = number = self._newest + 1
        if not self._seconds or now_s - self._seconds[-1][0] >= 1:
            self._seconds.append((now_s, number))
            if len(self._seconds) > REACH_S:
                self._seconds.popleft()
        if packet:
            place = number % self._kept
            self._before[place], self._hashes[place] = self._last[packet], known
            self._last[packet] = number
        return number

    def ended(self, oldest_open: int, now_s: float) -> None:
        """A connection is over: what comes again is not older than `oldest_open`, or than a while."""
        while self._seconds and now_s - self._seconds[0][0] > REACH_S:
            self._seconds.popleft()
        self._from = min(oldest_open, self._seconds[0][1] if self._seconds else self._newest + 1)
        self._first = True

    def find(self, packet: int, known: int) -> int | None:
        """The number of a message that comes again, or None: it never came. Each call looks behind what the one before has found."""
        found = None
        number, least = self._last[packet], max(self._from, self._newest - self._kept + 1)
        while number >= least:
            place = number % self._kept
            if self._hashes[place] == known:
                found = number
                if self._first:
                    # Of two with the same bytes: rather one reading twice than one taken for another that was acknowledged long ago.
                    break
            number = self._before[place]
        if found is not None:
            self._from, self._first = found + 1, False
        return found
