"""A recording, read at its own pace or faster. Knows one CSV format; the excerpt beside it is real (see its ATTRIBUTION).

The first column is `ts` (ISO 8601 with offset) or `t_s` (seconds from any zero); every other column is a metric, its unit in its
name. `status` and `environment` are fields of the reading. Empty cells are left out. Readings carry the time at which they are
replayed, because that is when the robot speaks; `recorded_at` holds the recording's own.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croody_contract.messages import Reading, Value
from croody_edge.settings import Settings
from croody_edge.sources.replay.settings import read
from croody_edge.texts import text
from croody_edge.variables import BadSetting, Variables

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
            self._next = next(self._rows, None)
        except (OSError, UnicodeError, csv.Error) as error:
            raise BadSetting(text("replay.unreadable", path=path, error=error)) from error
        if self._next is None:
            raise BadSetting(text("replay.empty", path=path))
        self._due_at: float | None = None

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
        return _reading(row, now)

    def close(self) -> None:
        """Give the file back."""
        self._rows.close()

    def _read_rows(self) -> "Rows":
        return Rows(self._path)


class Rows(Iterator[tuple[float, dict[str, str]]]):
    """Rows of the file as (seconds, cells)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open(newline="", encoding="utf-8")
        self._reader = csv.DictReader(self._file)
        names = self._reader.fieldnames or []
        if not names or names[0] not in ("ts", "t_s"):
            self._file.close()
            raise csv.Error(text("replay.first_column", name=repr(names[0] if names else "")))

    def __next__(self) -> tuple[float, dict[str, str]]:
        """The next row.

        Raises:
            OSError: a row whose time cannot be read.
        """
        for row in self._reader:
            try:
                at_s = float(row["t_s"]) if "t_s" in row else datetime.fromisoformat(row["ts"]).timestamp()
            except (TypeError, ValueError) as error:
                raise OSError(f"recording {self._path}, line {self._reader.line_num}: no time in its first column: {error}") from error
            return at_s, {name: cell for name, cell in row.items() if isinstance(name, str) and isinstance(cell, str)}
        self._file.close()
        raise StopIteration

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def open_source(settings: Settings, variables: Variables) -> ReplaySource:
    """The source `replay`; without `CROODY_REPLAY_FILE` it plays the excerpt that ships.

    Raises:
        BadSetting: the recording cannot be used.
    """
    own = read(variables)
    return ReplaySource(own.file or EXCERPT, speed=own.speed, loop=own.loop)


def _reading(row: dict[str, str], now: float) -> Reading | None:
    data: dict[str, Value] = {}
    for name, cell in row.items():
        if name == "ts":
            data["recorded_at"] = cell
        elif cell and name not in (*_FIELDS, "t_s"):
            data[name] = _value(cell)
    return Reading(
        data=data,
        ts=datetime.fromtimestamp(now, UTC),
        environment=row.get("environment") or None,
        status=row.get("status") or None,
    )


def _value(cell: str) -> Value:
    if cell in ("true", "false"):
        return cell == "true"
    try:
        return int(cell)
    except ValueError:
        pass
    try:
        return float(cell)
    except ValueError:
        return cell
