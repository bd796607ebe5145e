"""The rows that a profile is learned on, on disk until it is: one line each, only added to. A kill costs a minute of them at most.

A last line that is torn is passed over. Bounded in rows and in bytes.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from croody_edge.screen.learned.learn import Seen
from croody_edge.screen.learned.rows import MOST_NAMES, Row

#: Six hours of one a second; a row is some hundred bytes.
MOST_ROWS: Final = 21_600
MOST_BYTES: Final = 32 * 1024 * 1024
#: Rows are written together: a card of flash is not worn by one a second.
_TOGETHER: Final = 60
#: Between what was before a restart and what came after it, seconds of the robot's own clock.
_RESTART_S: Final = 1.0


class _Line(msgspec.Struct, array_like=True, frozen=True):
    t_s: float
    mode: str
    paused: bool
    values: dict[str, float]


class Journal:
    """Of one board."""

    def __init__(self, path: Path) -> None:
        """Go on where it ended. An unreadable one is begun anew.

        Raises:
            OSError: it cannot be read.
        """
        self._path = path
        self._waiting: list[bytes] = []
        self.rows, self.lasted_s, self._bytes = 0, 0.0, 0
        self._shift_s, self._fresh = 0.0, True
        for line in self._lines():
            self.rows, self.lasted_s = self.rows + 1, line.t_s
        if self.rows:
            # What is torn stays behind: nothing may be added to half a line.
            with path.open("rb+") as file:
                file.truncate(self._bytes)
            self._shift_s = self.lasted_s + _RESTART_S

    @property
    def full(self) -> bool:
        """No more rows are taken."""
        return self.rows >= MOST_ROWS or self._bytes >= MOST_BYTES

    def add(self, row: Row) -> bool:
        """One more; says whether they were written now.

        Raises:
            OSError: they cannot be written; they are tried again with the next.
        """
        if not row.values or self.full:
            return False
        line = _Line(round(row.t_s + self._shift_s, 2), row.mode[:64], row.paused or self._fresh, dict(row.values))
        self._fresh = False
        self._waiting.append(msgspec.json.encode(line) + b"\n")
        self.rows, self.lasted_s = self.rows + 1, line.t_s
        if len(self._waiting) < _TOGETHER:
            return False
        self.write()
        return True

    def write(self) -> None:
        """Put what waits on disk.

        Raises:
            OSError: it cannot be written.
        """
        body = b"".join(self._waiting)
        # A disk that stays full costs rows, not memory.
        del self._waiting[: -10 * _TOGETHER]
        with self._path.open("ab") as file:
            file.write(body)
        self._waiting.clear()
        self._bytes += len(body)

    @property
    def gone(self) -> bool:
        """Somebody took it away: a person has it learned anew."""
        return self._bytes > 0 and not self._path.exists()

    def seen(self) -> Seen:
        """All that is on disk.

        Raises:
            OSError: it cannot be read.
        """
        places: dict[str, int] = {}
        t_s, modes, paused = [], [], []
        # In single precision, and no larger than what is there: memory is short on a board.
        values = np.full((self.rows, MOST_NAMES), np.nan, dtype=np.float32)
        for count, line in enumerate(islice(self._lines(), self.rows)):
            t_s.append(line.t_s)
            modes.append(line.mode)
            paused.append(line.paused)
            for name, value in line.values.items():
                if len(places) < MOST_NAMES or name in places:
                    values[count, places.setdefault(name, len(places))] = value
        whole = values[: len(t_s), : len(places)].astype(np.float64)
        return Seen(list(places), np.asarray(t_s), modes, whole, np.asarray(paused, dtype=bool))

    def _lines(self) -> Iterator[_Line]:
        """Up to the first that is torn or is no row: from there on nothing is believed. `_bytes` is how far that is."""
        rows, self._bytes = 0, 0
        decoder = msgspec.json.Decoder(_Line)
        try:
            with self._path.open("rb") as file:
                for line in file:
                    if not line.endswith(b"\n") or rows >= MOST_ROWS or self._bytes >= MOST_BYTES:
                        return
                    row = decoder.decode(line)
                    rows, self._bytes = rows + 1, self._bytes + len(line)
                    yield row
        except (FileNotFoundError, msgspec.MsgspecError):
            return
