"""Ends streams whose listeners lost what they came with: a token, a session, a secret, a membership. Knows tickets, never what is sent."""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import Error as DatabaseError
from django.db import connections

from croody.fleet.ticket import Ticket, ended
from croody.live.hub import Listener

#: How often all tickets are looked at, in seconds: a stream outlives its ticket by this and a moment.
LOOK_S: Final = 2.0


class Leaving:
    """Open streams of one process, by ticket. Looks while there are any."""

    def __init__(self, ended: Callable[[Collection[Ticket]], frozenset[Ticket]] = ended, *, look_s: float = LOOK_S) -> None:
        self._ended = ended
        self._look_s = look_s
        self._open: dict[Ticket, set[Listener]] = {}
        self._task: asyncio.Task[None] | None = None

    def enter(self, ticket: Ticket, listener: Listener) -> None:
        """Said by the stream's own task: from now on the listener is dismissed as soon as its ticket does not stand."""
        if not ticket.may_end:
            return
        listener.begin()
        self._open.setdefault(ticket, set()).add(listener)
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._look(), name="tickets")

    def leave(self, ticket: Ticket, listener: Listener) -> None:
        """The stream is over."""
        listeners = self._open.get(ticket, set())
        listeners.discard(listener)
        if not listeners:
            self._open.pop(ticket, None)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tickets")
        try:
            while self._open:
                await asyncio.sleep(self._look_s)
                for ticket in await loop.run_in_executor(pool, self._those_that_ended, list(self._open)):
                    for listener in list(self._open.get(ticket, ())):
                        listener.dismiss()
        finally:
            pool.submit(connections.close_all)
            pool.shutdown(wait=False)

    def _those_that_ended(self, tickets: list[Ticket]) -> frozenset[Ticket]:
        try:
            return self._ended(tickets)
        except DatabaseError:
            # The feeds tell of it; what cannot be read cannot be shown either.
            connections.close_all()
            return frozenset()


leaving = Leaving()
