"""Many agents, one thread: whose turn is next, and when all is acknowledged. Knows agents by `tick`, `news` and `pending` only."""

import time
from collections.abc import Callable
from threading import Event
from typing import Final, Protocol

#: An agent gets no more turns than one in this many seconds, however eager it is.
_SHORTEST_S: Final = 0.002
#: How often somebody who waits for the end is asked whether it has come, seconds.
_ASK_S: Final = 0.05


class Member(Protocol):
    """What is needed of an agent."""

    @property
    def news(self) -> bool:
        """Say whether something came that waits for `tick`."""
        ...

    def tick(self, now: float) -> float:
        """Do what is due; seconds until it wants the next turn."""
        ...

    def pending(self) -> int:
        """Records not yet acknowledged."""
        ...


class Fleet:
    """Gives every agent its turns. Members may be added while it runs, from the same thread."""

    def __init__(self, wake: Event, *, clock: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        """Args: `wake` is set by every member that has news, and by anything else that the fleet has to look up for."""
        self._wake, self._clock, self._steady = wake, clock, steady
        self._members: list[Member] = []
        self._due: list[float] = []

    def add(self, member: Member) -> None:
        """Take one more; its first turn is now."""
        self._members.append(member)
        self._due.append(self._steady())

    def run(self, stop: Event, until: float | None = None, done: Callable[[], bool] | None = None) -> None:
        """Give turns until `stop` is set, the steady clock reaches `until`, or `done` says so."""
        ask_at = 0.0
        while not stop.is_set():
            self._wake.clear()
            at = self._steady()
            if until is not None and at >= until:
                return
            if done is not None and at >= ask_at:
                if done():
                    return
                ask_at = at + _ASK_S
            self._turns(at)
            limits = [min(self._due, default=at + 1.0)]
            if until is not None:
                limits.append(until)
            if done is not None:
                limits.append(ask_at)
            rest_s = min(limits) - self._steady()
            if rest_s > 0:
                self._wake.wait(rest_s)

    def pending(self) -> int:
        """Records of all members that are not yet acknowledged."""
        return sum(member.pending() for member in self._members)

    def _turns(self, at: float) -> None:
        for index, member in enumerate(self._members):
            if self._due[index] <= at or member.news:
                wait_s = member.tick(self._clock())
                self._due[index] = self._steady() + max(_SHORTEST_S, wait_s)
