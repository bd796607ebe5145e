"""A recording, read at its own pace or faster. Knows one CSV format; the excerpt beside it is real (see its ATTRIBUTION).

The first column is `ts` (ISO 8601 with offset) or `t_s` (seconds from any zero); every other column is a metric, its unit in its
name. `status` and `environment` are fields of the reading. Empty cells are left out. Readings carry the time at which they are
replayed, because that is when the robot speaks; `recorded_at` holds the recording's own. A cell that no reading can carry is left out,
which is said once a column; the others of its row go.
"""

import csv
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Final

from croody_contract.limits import MAX_METRICS, MAX_NAME_CHARS
from croody_contract.messages import Reading, Value
from croody_contract.printable import printable
from croody_edge.sources import Context, cells
from croody_edge.sources.replay.settings import ReplaySettings
from croody_edge.texts import text
from croody_edge.variables import BadSetting

log = logging.getLogger("croody.replay")

EXCERPT: Final = Path(__file__).with_name("ur3_cobotops.csv")
#: Between the last row and the first of the next round, seconds of the recording.
_LOOP_GAP_S: Final = 1.0
#: A pause in the recording that is longer than this is cut to it, seconds of the recording.
_LONGEST_PAUSE_S: Final = 10.0
#: Shortest and longest time until the source looks again whether a row is due, seconds.
_SHORTEST_S: Final = 0.001
_LONGEST_S: Final = 1.0
_FIELDS: Final = ("status", "environment")


class ReplaySource:
    """A `PullSource` over one CSV file."""

    def __init__(self, path: Path, *, speed: float = 1.0, loop: bool = True) -> None:
        """Open the file and read its head.

        Args:
            path: the recording.
            speed: 2.0 is twice as fast as it was.
            loop: begin again at the end.

        Raises:
            BadSetting: it cannot be read, or is no such CSV; the message says what is wrong with it.
        """
        self._path, self._speed, self._loop = path, speed, loop
        self.interval_s = _SHORTEST_S
        try:
            self._rows = self._read_rows()
            self._next = self._rows.first()
        except (OSError, UnicodeError, csv.Error) as error:
            raise BadSetting(text("replay.unreadable", path=path, error=error)) from error
        if self._next is None:
            raise BadSetting(text("replay.empty", path=path))
        self._due_at: float | None = None
        self._left_out: set[str] = set()

    def read(self, now: float) -> Reading | None:
        """The next row when its time has come; None between rows and after the end."""
        found = self._due(now)
        self.interval_s = (
            _LONGEST_S if self._next is None or self._due_at is None else min(max(self._due_at - now, _SHORTEST_S), _LONGEST_S)
        )
        return found

    def _due(self, now: float) -> Reading | None:
        if self._next is None:
            return None
        if self._due_at is None or abs(now - self._due_at) > _LONGEST_PAUSE_S / self._speed + 60:
            self._due_at = now  # The first row, or a clock that was set.
        if now < self._due_at:
            return None
        at_s, row = self._next
        self._next = next(self._rows, None)
        pause_s = _LOOP_GAP_S
        if self._next is None and self._loop:
            self._rows = self._read_rows()
            self._next = next(self._rows, None)
        elif self._next is not None:
            pause_s = self._next[0] - at_s
        self._due_at += min(max(pause_s, 0.0), _LONGEST_PAUSE_S) / self._speed
        return self._reading(row, now)

    def _reading(self, row: dict[str, str], now: float) -> Reading:
        data: dict[str, Value] = {}
        for name, cell in row.items():
            if name == "ts":
                data["recorded_at"] = cell
            elif cell and name not in (*_FIELDS, "t_s"):
                self._take(data, name, cell)
        words = {name: row[name] for name in _FIELDS if row.get(name)}
        for name in [name for name, cell in words.items() if len(cell) > MAX_NAME_CHARS or "\x00" in cell]:
            self._leave_out(name, words.pop(name), "cell.bad_text")
        return Reading(data=data, ts=datetime.fromtimestamp(now, UTC), environment=words.get("environment"), status=words.get("status"))

    def _take(self, data: dict[str, Value], name: str, cell: str) -> None:
        if not 1 <= len(name) <= MAX_NAME_CHARS or "\x00" in name or len(data) >= MAX_METRICS:
            self._leave_out(name, cell, "cell.bad_name")
            return
        try:
            data[name] = cells.value(cell)
        except cells.LeftOut as why:
            self._leave_out(name, cell, str(why))

    def _leave_out(self, name: str, cell: str, key: str) -> None:
        if name not in self._left_out:
            self._left_out.add(name)
            shown = {"column": printable(name[:MAX_NAME_CHARS]), "cell": printable(cell[:MAX_NAME_CHARS])}
            log.warning("%s", text("replay.left_out", path=self._path, why=text(key), **shown))

    def close(self) -> None:
        """Give the file back."""
        self._rows.close()

    def _read_rows(self) -> "Rows":
        return Rows(self._path)


class Rows(Iterator[tuple[float, dict[str, str]]]):
    """Rows of the file as (seconds, cells)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open(newline="", encoding="utf-8-sig")
        self._reader = csv.DictReader(self._file)
        names = self._reader.fieldnames or []
        if not names or names[0] not in ("ts", "t_s"):
            self._file.close()
            raise csv.Error(text("replay.first_column", name=repr(names[0] if names else "")))
        twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
        if twice is not None:
            self._file.close()
            raise csv.Error(text("replay.twice", name=printable(twice[:MAX_NAME_CHARS])))
        self._more_said = False

    def __next__(self) -> tuple[float, dict[str, str]]:
        """The next row.

        Raises:
            OSError: a row whose time cannot be read.
        """
        for row in self._reader:
            try:
                at_s = float(row["t_s"]) if "t_s" in row else _moment(row["ts"])
                if not isfinite(at_s):
                    raise ValueError(row["t_s"])
            except (TypeError, ValueError) as error:
                said = text("replay.no_time", path=self._path, line=self._reader.line_num, error=printable(str(error))[:200])
                raise OSError(said) from error
            more = row.pop(None, None)
            if more and not self._more_said:
                self._more_said = True
                shown = printable(",".join(more)[:MAX_NAME_CHARS])
                log.warning("%s", text("replay.more_cells", path=self._path, line=self._reader.line_num, cells=shown))
            return at_s, {name: cell for name, cell in row.items() if isinstance(name, str) and isinstance(cell, str)}
        self._file.close()
        raise StopIteration

    def first(self) -> tuple[float, dict[str, str]] | None:
        """The next row, None when there is none; where it cannot be read the file is given back.

        Raises:
            OSError, UnicodeError, csv.Error: it cannot be read.
        """
        try:
            return next(self, None)
        except (OSError, UnicodeError, csv.Error):
            self.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _moment(cell: str) -> float:
    """Unix seconds of an ISO 8601 time with its offset."""
    moment = datetime.fromisoformat(cell)
    if moment.tzinfo is None or cell.isdecimal():
        raise ValueError(cell)
    return moment.timestamp()


class Replay(ReplaySource):
    """The kind `replay`; without a file it plays the excerpt that ships."""

    Settings = ReplaySettings

    def __init__(self, own: ReplaySettings, context: Context) -> None:
        super().__init__(own.file or EXCERPT, speed=own.speed, loop=own.loop)
