"""One thread that does one act after another. What comes while too many wait is let go of, counted and said; knows no sort of act."""

import logging
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Event as Flag
from threading import Thread
from typing import Final

from croody_contract.printable import printable
from croody_edge.local.rules.keeper import Act
from croody_edge.texts import text

log = logging.getLogger("croody.rules")

MOST_WAITING: Final = 64
_LOOK_S: Final = 1.0
_END_S: Final = 1.0


class Undone(Exception):
    """An act was not done; the message says why."""


class Worker:
    """Does acts from `start` to `close`; the thread begins with the first act."""

    def __init__(self, name: str, does: Callable[[Act, Flag], None], said: Callable[[Act, str], None]) -> None:
        """As the acts need it.

        Args:
            name: of its thread.
            does: one act; raises `Undone`. The flag is set when it has to end.
            said: told of each act what became of it: empty where it was done, otherwise why not. Called in any thread.
        """
        self._name, self._does, self._said = name, does, said
        self._waiting: Queue[Act] = Queue(MOST_WAITING)
        self._closed = Flag()
        self._thread: Thread | None = None
        #: Acts that were let go of since the start.
        self.dropped = 0

    def give(self, act: Act) -> None:
        """Do it soon; returns at once."""
        try:
            self._waiting.put_nowait(act)
        except Full:
            self.dropped += 1
            self._tell(act, text("rules.too_many_waiting", most=MOST_WAITING))
            return
        if self._thread is None:
            self._thread = Thread(target=self._run, name=f"croody {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Do no more; what is being done is ended."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                act = self._waiting.get(timeout=_LOOK_S)
            except Empty:
                continue
            try:
                self._does(act, self._closed)
            except Undone as why:
                self._tell(act, str(why))
            else:
                self._tell(act, "")

    def _tell(self, act: Act, why: str) -> None:
        self._said(act, why)
        if why:
            log.warning("%s", printable(text("rules.not_done", name=act.name, what=self._name, why=why)))
