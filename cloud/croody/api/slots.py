"""How many exports are under way: each reads the database for as long as its reader takes. In this process's memory."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from django.http import StreamingHttpResponse

from croody.api.errors import Wrong

#: Of one caller, and of all together.
MOST_OF_ONE: Final = 2
MOST: Final = 8


class Slots:
    """Counts what is under way."""

    def __init__(self, most_of_one: int = MOST_OF_ONE, most: int = MOST) -> None:
        self._most_of_one, self._most = most_of_one, most
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, who: str) -> Callable[[], None]:
        """One more of this caller; gives the function that ends it, which may be called again.

        Raises:
            Wrong: 429, there are too many.
        """
        with self._lock:
            if self._taken[who] >= self._most_of_one or self._taken.total() >= self._most:
                rule = f"{self._most_of_one} exports of one caller at once, {self._most} of all"
                raise Wrong("exports", self._taken.total(), rule, "wait until one has ended", status=429)
            self._taken[who] += 1
        return _once(lambda: self._leave(who))

    def _leave(self, who: str) -> None:
        with self._lock:
            self._taken[who] -= 1
            self._taken += Counter()


slots: Final = Slots()


class Export(StreamingHttpResponse):
    """A file on its way. Its slot is free once the response is closed, whether it was read or not."""

    def __init__(self, body: Any, leave: Callable[[], None], **options: Any) -> None:
        super().__init__(body, **options)
        self._leave = leave

    def close(self) -> None:
        """Free the slot, too."""
        try:
            super().close()
        finally:
            self._leave()


def _once(leave: Callable[[], None]) -> Callable[[], None]:
    left = threading.Event()

    def run() -> None:
        if not left.is_set():
            left.set()
            leave()

    return run
