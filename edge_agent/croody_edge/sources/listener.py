"""A thread for a source that speaks by itself, and trying again when what it listens to goes away. Knows no kind of device."""

import sys
from abc import ABC, abstractmethod
from threading import Event, Thread, current_thread
from typing import Final

from croody_edge.sources import HandOver, Said

#: Between two tries, seconds: doubled each time, up to the last.
_FIRST_S: Final = 0.5
_LONGEST_S: Final = 30.0


class Listener(ABC):
    """A `PushSource`: write `listen`, and let OSError out of it."""

    def __init__(self) -> None:
        self.closed = Event()
        self._thread: Thread | None = None

    @abstractmethod
    def listen(self, hand_over: HandOver) -> None:
        """Connect, and hand over what comes until `self.closed` is set; look at it once a second at least.

        Raises:
            OSError: what it listens to is away. It is called again a little later.
        """

    def start(self, hand_over: HandOver) -> None:
        """Listen in a thread, for as long as it is not closed."""
        self._thread = Thread(target=self._run, args=(hand_over,), name=f"croody {type(self).__name__}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask `listen` to end, and give it two seconds."""
        self.closed.set()
        if self._thread is not None and self._thread is not current_thread():
            self._thread.join(2.0)

    def _run(self, hand_over: HandOver) -> None:
        heard = Heard(hand_over)
        wait_s = _FIRST_S
        try:
            while not self.closed.is_set():
                heard.something = False
                try:
                    self.listen(heard)
                    cause = "it ended"
                except OSError as error:
                    cause = str(error) or type(error).__name__
                if self.closed.is_set():
                    return
                hand_over.failed(cause)
                wait_s = _FIRST_S if heard.something else min(2 * wait_s, _LONGEST_S)
                self.closed.wait(wait_s)
        finally:
            if not self.closed.is_set():
                died_of = sys.exc_info()[1]
                hand_over.failed(f"{type(died_of).__name__}: {died_of}", ended=True)


class Heard:
    """A `HandOver` that remembers whether anything came."""

    def __init__(self, hand_over: HandOver) -> None:
        self._hand_over = hand_over
        self.something = False

    def failed(self, cause: str, *, ended: bool = False) -> None:
        """Say it on."""
        self._hand_over.failed(cause, ended=ended)

    def __call__(self, said: Said) -> bool:
        """Hand it on."""
        self.something = True
        return self._hand_over(said)
