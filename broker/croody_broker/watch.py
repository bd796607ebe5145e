"""Notices that a file changed, by looking. Knows one path; keeps no thread and no clock: somebody asks it regularly."""

import os
from pathlib import Path

_Signature = tuple[int, int, int] | None


class Watched:
    """A file that others rewrite.

    A change counts once two looks in a row see the same file, so a file that is just being written is not read by halves.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._taken: _Signature | str = "never"
        self._seen: _Signature | str = "never"

    def changed(self) -> bool:
        """Say whether there is something to read that was not read yet."""
        now = self._signature()
        settled = now == self._seen
        self._seen = now
        return settled and now != self._taken

    def read(self) -> str:
        """The text of the file as it stands; from now on this is what `changed` compares with.

        Raises:
            OSError: missing or not readable.
        """
        self._taken = self._seen = self._signature()
        return self.path.read_text(encoding="utf-8", errors="replace")

    def _signature(self) -> _Signature:
        try:
            stat = os.stat(self.path)
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
