"""How far each file has been read, kept across restarts. Opens one small file in the agent's folder."""

import json
import os
from pathlib import Path
from typing import Final

#: Files that are remembered; the oldest are forgotten.
MOST_FILES: Final = 1000


class Offsets:
    """Of one source: file (device and inode) -> bytes read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, int] = {}
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            self._read = {str(key): int(at) for key, at in said.items() if int(at) >= 0}
        except (OSError, ValueError, AttributeError, TypeError):
            pass  # There is none yet, or it is damaged: what is there is read from the beginning.

    def of(self, key: str) -> int:
        """Bytes that were read of it."""
        return self._read.get(key, 0)

    def at(self, key: str, read: int) -> None:
        """Note it, and forget the oldest."""
        self._read.pop(key, None)
        self._read[key] = read
        while len(self._read) > MOST_FILES:
            self._read.pop(next(iter(self._read)))

    def now(self) -> dict[str, int]:
        """A copy of all of it."""
        return dict(self._read)

    def save(self, read: dict[str, int]) -> None:
        """Write it down.

        Raises:
            OSError: it cannot be.
        """
        fresh = self._path.with_name(f".{self._path.name}.new")
        fresh.write_text(json.dumps(read), encoding="utf-8")
        os.replace(fresh, self._path)
