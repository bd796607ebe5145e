"""How far each file has been read, kept across restarts. Opens one small file in the agent's folder."""

import json
from pathlib import Path
from typing import Final

from croody_edge import identity

#: Files that are remembered; those that were longest not seen are forgotten.
MOST_FILES: Final = 1000


class Offsets:
    """Of one source: file (device and inode) -> bytes read, and a mark of these bytes: a number of a deleted file is given to the next one.

    On disk a mark stands beside its offset, under `FILE@OFFSET`: an older agent passes it over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, tuple[int, int | None]] = {}
        try:
            said = {str(key): int(number) for key, number in json.loads(path.read_text(encoding="utf-8")).items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return  # There is none yet, or it is damaged: what is there is read from the beginning.
        self._read = {key: (at, said.get(f"{key}@{at}")) for key, at in said.items() if at >= 0 and "@" not in key}

    def of(self, key: str) -> tuple[int, int | None]:
        """Bytes that were read of it, and their mark where it is known. It was seen just now."""
        known = self._read.pop(key, None)
        if known is None:
            return 0, None
        self._read[key] = known
        return known

    def at(self, key: str, read: int, mark: int) -> None:
        """Note it, and forget what was longest not seen."""
        self._read.pop(key, None)
        self._read[key] = read, mark
        while len(self._read) > MOST_FILES:
            self._read.pop(next(iter(self._read)))

    def now(self) -> dict[str, int]:
        """A copy of all of it, as it is written down."""
        found: dict[str, int] = {}
        for key, (at, mark) in self._read.items():
            found[key] = at
            if mark is not None:
                found[f"{key}@{at}"] = mark
        return found

    def save(self, read: dict[str, int]) -> None:
        """Write down what `now` gave.

        Raises:
            OSError: it cannot be.
        """
        identity.replace(self._path, json.dumps(read).encode())
