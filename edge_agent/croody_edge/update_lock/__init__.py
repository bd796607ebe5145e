"""No update while the robot is in the middle of something. Joins what its readings say to a lock file; decides and opens nothing itself.

The lock is balena's: docs/decisions/balena-dialect.md says who looks at it and how.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from croody_contract.messages import Reading, Record
from croody_edge.texts import text
from croody_edge.update_lock.busy import Busy, Condition
from croody_edge.update_lock.lock_file import LockFile, clear

log = logging.getLogger("croody.agent")

#: The file is looked at this often, seconds.
_EVERY_S: Final = 1.0


def clear_left_over(path: str) -> str:
    """Remove the lock of a run that died while its robot was busy. Returns what a person should hear of it, if anything."""
    try:
        return text("lock.cleared", path=path) if path and clear(Path(path)) else ""
    except OSError as error:
        return text("lock.not_cleared", path=path, error=error.strerror)


class UpdateLock:
    """Holds the lock while the readings say that the robot is busy; without a path it does nothing."""

    def __init__(self, path: Path | None, conditions: Sequence[Condition], rest_s: float) -> None:
        """Args: `rest_s` is how long a robot that stopped is still left alone, seconds."""
        self._file = LockFile(path) if path is not None else None
        self._busy = Busy(conditions, rest_s=rest_s)
        self._next_s = 0.0
        self._refusal = ""

    def saw(self, records: Sequence[Record], mono_s: float) -> None:
        """What the robot said of itself.

        Args:
            records: those that are not readings say nothing here.
            mono_s: seconds of a clock that never jumps.
        """
        if self._file is None:
            return
        for record in records:
            if isinstance(record, Reading):
                said = record.data if record.status is None else {"status": record.status, **record.data}
                self._busy.saw(said, mono_s)

    def turn(self, mono_s: float) -> None:
        """Take the lock or give it back, if it is time to look."""
        if self._file is None or (mono_s < self._next_s and self._busy.at(mono_s) == self._file.held):
            return
        self._next_s = mono_s + _EVERY_S
        if self._busy.at(mono_s):
            self._take(self._file)
        else:
            self.release()

    def release(self) -> None:
        """Give it back, if it is held."""
        self._refusal = ""
        if self._file is None or not self._file.held:
            return
        try:
            self._file.release()
        except OSError as error:
            log.warning("%s", text("lock.not_cleared", path=self._file.path, error=error.strerror))
        log.info("%s", text("lock.released"))

    def _take(self, file: LockFile) -> None:
        before = file.held
        try:
            file.take()
        except OSError as error:
            self._say_once(file, error)
            return
        self._refusal = ""
        if not before:
            log.info("%s", text("lock.taken", path=file.path))

    def _say_once(self, file: LockFile, error: OSError) -> None:
        """A lock that is not to be had is no reason to stop measuring; whoever reads the log hears of it once."""
        if str(error) != self._refusal:
            self._refusal = str(error)
            log.warning("%s", text("lock.refused", path=file.path, error=error.strerror or error))
