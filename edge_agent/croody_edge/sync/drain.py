"""What to send now, what to send again, and what an acknowledgement covers. Pure: no clock, no socket, no database.

All records lie on one line of keys (see `outbox.keys`), oldest first. Live records go first; the backlog of an outage follows at a
limited rate, oldest first, marked historical; what was not acknowledged in time goes again. Only what was sent can be acknowledged.
Every `now_s` is in seconds of a clock that never jumps.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Final

from croody_contract import ranges
from croody_contract.ranges import EMPTY, Ranges

#: Longest wait for an acknowledgement, in multiples of the first, with jitter below it.
_BACKOFF_LIMIT: Final = 3.0
#: While the broker has not confirmed a publish the connection itself is trusted for this many times the wait.
_UNCONFIRMED: Final = 5.0
#: An acknowledgement that took longer than this says that the way is narrow, seconds.
_SLOW_S: Final = 2.0
#: Live publishes keep this distance, seconds, unless a full batch waits: a reading after a pause goes at once, fast ones share.
_SPACING_S: Final = 0.02
#: The backlog goes in about this many publishes a second, so that a low rate is not a trickle of single records.
_PIECES_PER_S: Final = 5


@dataclass(frozen=True, slots=True)
class Pick:
    """Send the first unbroken run of records with start <= key < stop, at most `limit` of them; then say `sent` or `nothing`."""

    start: int
    stop: int
    limit: int
    historical: bool
    attempts: int = 0
    lane: str = "live"


@dataclass(slots=True)
class _Flight:
    """A published batch that is not yet acknowledged. `keys` shrink as acknowledgements come."""

    keys: Ranges
    sent_at_s: float
    due_s: float
    attempts: int
    historical: bool
    token: int
    confirmed: bool = False


@dataclass(slots=True)
class _Again:
    """Records to send again, and how often they were sent. `sent` is false when the cloud asked for what was never sent here."""

    first: int
    last: int
    attempts: int
    historical: bool
    sent: bool = True


@dataclass(slots=True)
class Drain:
    """The state of one connection's sending."""

    batch_records: int
    in_flight: int
    ack_timeout_s: float
    rate: float
    random: Random = field(default_factory=Random)
    _flights: list[_Flight] = field(default_factory=list)
    _again: list[_Again] = field(default_factory=list)
    _backlog: list[tuple[int, int]] = field(default_factory=list)
    _live: int = 0
    _end: int = 0
    _live_at_s: float = 0.0
    _window: float = 0.0
    _tokens: float = 0.0
    _filled_at_s: float | None = None

    def __post_init__(self) -> None:
        self._window = float(self.in_flight)

    def opened(self, born: int) -> None:
        """The outbox begins a stream whose first key is `born`: everything before it is backlog."""
        self._flights, self._again = [], []
        self._backlog = [(0, born)]
        self._live, self._end = born, born

    def grew(self, end: int) -> None:
        """Records exist for every live key below `end`. When live sending cannot follow, what waits becomes backlog."""
        self._end = end
        if end - self._live > self.batch_records * self.in_flight:
            self._defer()

    def connected(self) -> None:
        """A new connection: nothing of the old one can be relied on."""
        for flight in self._flights:
            self._return(flight)
        self._flights = []
        if self._end - self._live > self.batch_records:
            self._defer()

    def next(self, now_s: float) -> Pick | None:
        """What to send now; None when there is nothing, or the window is full, or the backlog has to wait."""
        self._expire(now_s)
        room = int(self._window) - len(self._flights)
        if room <= 0:
            return None
        if self._live < self._end and (now_s >= self._live_at_s or self._end - self._live >= self.batch_records):
            return Pick(self._live, self._end, self.batch_records, False)
        if self._again:
            again = self._again[0]
            return Pick(again.first, again.last + 1, self.batch_records, again.historical, again.attempts, "again")
        if self._backlog and self._room_for_backlog():
            piece = self._piece()
            self._fill(now_s)
            if self._tokens >= piece:
                start, stop = self._backlog[0]
                return Pick(start, stop, piece, True, 0, "backlog")
        return None

    def sent(self, pick: Pick, first: int, last: int, token: int, now_s: float) -> None:
        """The run first..last of `pick` was published; the broker will confirm it by `token`."""
        self._advance(pick, last)
        if pick.lane == "live":
            self._live_at_s = now_s + _SPACING_S
        elif pick.lane == "backlog":
            self._tokens -= last - first + 1
        wait_s = self._wait_s(pick.attempts) * _UNCONFIRMED
        self._flights.append(_Flight(((first, last),), now_s, now_s + wait_s, pick.attempts, pick.historical, token))

    def nothing(self, pick: Pick) -> None:
        """No record was left in `pick`."""
        self._advance(pick, pick.stop - 1)

    def confirmed(self, token: int, now_s: float) -> None:
        """The broker has it: from now on the acknowledgement is awaited."""
        for flight in self._flights:
            if flight.token == token and not flight.confirmed:
                flight.confirmed = True
                flight.due_s = now_s + self._wait_s(flight.attempts)
                return

    def acknowledged(self, keys: Ranges, now_s: float) -> Ranges:
        """Which records to delete: those of `keys` that were sent from here and are not yet acknowledged."""
        known = self.unacknowledged()
        accepted = ranges.intersect(ranges.normalise(keys), known)
        if not accepted:
            return EMPTY
        for flight in self._flights:
            rest = ranges.subtract(flight.keys, accepted)
            if rest != flight.keys and flight.attempts == 0:
                self._adapt(now_s - flight.sent_at_s)
            flight.keys = rest
        self._flights = [flight for flight in self._flights if flight.keys]
        left: list[_Again] = []
        for again in self._again:
            for first, last in ranges.subtract(((again.first, again.last),), accepted):
                left.append(_Again(first, last, again.attempts, again.historical, again.sent))
        self._again = left
        return accepted

    def again(self, keys: Ranges) -> None:
        """The cloud asks for these, which are in the outbox: send them again. What is on its way already is left alone."""
        for first, last in ranges.subtract(keys, self._busy()):
            self._again.append(_Again(first, last, 0, True, sent=False))

    def unacknowledged(self) -> Ranges:
        """Keys sent and not yet acknowledged, whether in flight or waiting to go again."""
        return ranges.normalise(
            [
                *(span for flight in self._flights for span in flight.keys),
                *((again.first, again.last) for again in self._again if again.sent),
            ]
        )

    @property
    def idle(self) -> bool:
        """Say whether nothing is left to send or to wait for."""
        return not (self._flights or self._again or self._backlog) and self._live >= self._end

    def wait_s(self, now_s: float) -> float:
        """Seconds until `next`, which has just said None, may say something else; an acknowledgement or a new record aside."""
        waits = [flight.due_s - now_s for flight in self._flights]
        if self._live < self._end and len(self._flights) < int(self._window):
            waits.append(self._live_at_s - now_s)
        if self._backlog and self._room_for_backlog():
            waits.append((self._piece() - self._tokens) / self.rate)
        return max(0.0, min(waits, default=60.0))

    def _busy(self) -> Ranges:
        return ranges.normalise(
            [
                *(span for flight in self._flights for span in flight.keys),
                *((again.first, again.last) for again in self._again),
            ]
        )

    def _room_for_backlog(self) -> bool:
        """Half of the window at most is for the backlog, so that a live record always finds a place."""
        window = int(self._window)
        return len(self._flights) < window and sum(flight.historical for flight in self._flights) < max(1, window // 2)

    def _piece(self) -> int:
        return max(1, min(self.batch_records, int(self.rate / _PIECES_PER_S)))

    def _fill(self, now_s: float) -> None:
        if self._filled_at_s is None:
            self._tokens = float(self._piece())
        else:
            self._tokens = min(self._tokens + (now_s - self._filled_at_s) * self.rate, float(2 * self._piece()))
        self._filled_at_s = now_s

    def _defer(self) -> None:
        start = self._live
        if self._backlog and self._backlog[-1][1] == start:
            start = self._backlog.pop()[0]
        self._backlog.append((start, self._end))
        self._live = self._end

    def _advance(self, pick: Pick, last: int) -> None:
        """Take what lies up to `last` off the list that `pick` came from."""
        if pick.lane == "live":
            self._live = max(self._live, last + 1)
        elif pick.lane == "again":
            again = self._again.pop(0)
            if last < again.last:
                self._again.insert(0, _Again(last + 1, again.last, again.attempts, again.historical, again.sent))
        else:
            start, stop = self._backlog.pop(0)
            if last + 1 < stop:
                self._backlog.insert(0, (max(start, last + 1), stop))

    def _expire(self, now_s: float) -> None:
        late = [flight for flight in self._flights if flight.due_s <= now_s]
        if late:
            self._flights = [flight for flight in self._flights if flight.due_s > now_s]
            for flight in late:
                self._return(flight)

    def _return(self, flight: _Flight) -> None:
        attempts = flight.attempts + 1
        for first, last in flight.keys:
            self._again.append(_Again(first, last, attempts, flight.historical or attempts > 1))

    def _wait_s(self, attempts: int) -> float:
        return min(self.ack_timeout_s * 2.0**attempts, self.ack_timeout_s * _BACKOFF_LIMIT) * self.random.uniform(0.75, 1.0)

    def _adapt(self, took_s: float) -> None:
        if took_s > _SLOW_S:
            self._window = max(1.0, self._window / 2)
        else:
            self._window = min(float(self.in_flight), self._window + 1.0)
