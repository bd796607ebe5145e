"""Files that another program writes: new lines of them, and new ones of a folder. JSON lines, CSV with a head, or `K=V` pairs.

What was read is remembered across restarts. A file that begins anew is read from its beginning; a line is read when it has its end.
"""

import os
from bisect import bisect_right
from datetime import datetime
from glob import has_magic, iglob
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zlib import crc32

from msgspec import Meta

from croody_contract.messages import Reading
from croody_edge.sources import Context, NoValue, SourceSettings, words
from croody_edge.sources.files.offsets import MOST_FILES, Offsets

#: Read at one look, bytes; and the longest line.
_MOST_BYTES: Final = 64 * 1024
#: Readings of one look.
_MOST_READINGS: Final = 200
#: Of what was read of a file, so much of its beginning and of its end tells it from another one.
_MARKED_BYTES: Final = 256


class FilesSettings(SourceSettings, frozen=True):
    """`path` may be a pattern such as `/data/in/*.jsonl`; with `from_end` what is there at the first start is passed over."""

    path: Annotated[str, Meta(min_length=1)]
    format: Literal["auto", "jsonl", "csv", "pairs"] = "auto"
    separator: Annotated[str, Meta(min_length=1, max_length=8)] = ","
    from_end: bool = False


class Files:
    """A `PullSource` that `Remembers`, and may say what is `wrong` while it reads."""

    Settings = FilesSettings
    catches_up = True

    def __init__(self, own: FilesSettings, context: Context) -> None:
        self.interval_s, self._own = own.interval_s, own
        memory = context.edge_dir / f"{context.name}.read.json"
        self._offsets, self._first = Offsets(memory), own.from_end and not memory.exists()
        self._heads: dict[str, list[str]] = {}
        self._moved = False
        #: The last path of a look that could not see all of them: the next one begins behind it.
        self._last = ""
        #: The file that had the name of a path without a pattern at the last look, open.
        self._held: int | None = None
        #: See `SaysWhatIsWrong`.
        self.wrong = ""

    def read(self, now: float) -> list[Reading]:
        """What has come since the last look.

        Raises:
            OSError: a file cannot be read and no other brings anything, or nothing fits the path.
        """
        first, self._first = self._first, False
        self._moved = self._moved or first  # That there was a first look is remembered, also of an empty folder.
        seen = list(islice(iglob(self._own.path), MOST_FILES + 1))
        self.wrong = f"more than {MOST_FILES} files fit {self._own.path}: the others are not read" if len(seen) > MOST_FILES else ""
        paths = sorted(seen[:MOST_FILES])
        found, waits = self._rotated()
        if not paths and not found and not has_magic(self._own.path):
            raise FileNotFoundError(2, "No such file", self._own.path)
        if waits:
            return found
        error = self._look_at(paths, found, first=first)
        if error is not None and not found:
            raise error
        return found

    def place(self) -> dict[str, int] | None:
        """See `Remembers`."""
        moved, self._moved = self._moved, False
        return self._offsets.now() if moved else None

    def kept(self, place: dict[str, int]) -> None:
        """See `Remembers`."""
        self._offsets.save(place)

    def close(self) -> None:
        """Let go of what is held open."""
        self._hold(None)

    def _look_at(self, paths: list[str], found: list[Reading], *, first: bool) -> OSError | None:
        """Each of them, until there are enough readings. What is wrong with one costs no other what it brought."""
        wrong = None
        start = bisect_right(paths, self._last)
        for name in paths[start:] + paths[:start]:
            if len(found) >= _MOST_READINGS:
                return wrong
            self._last = name
            try:
                found += self._open(Path(name), _MOST_READINGS - len(found), first=first)
            except FileNotFoundError:
                pass  # Taken away since its name was seen.
            except OSError as error:
                wrong, self.wrong = error, str(error)
        self._last = ""
        return wrong

    def _open(self, path: Path, most: int, *, first: bool) -> list[Reading]:
        if not path.is_file():
            return []
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if self._held is not None and not os.path.samestat(os.fstat(self._held), os.fstat(file)):
            os.close(file)  # Rotated just now: the old one is read to its end at the next look.
            return []
        try:
            return self._look(file, path, most, first=first)[0]
        finally:
            if has_magic(self._own.path):
                os.close(file)
            else:
                self._hold(file)

    def _hold(self, file: int | None) -> None:
        held, self._held = self._held, file
        if held is not None:
            os.close(held)

    def _rotated(self) -> tuple[list[Reading], bool]:
        """What is left in the file that had this name at the last look, and whether what has it now is to wait.

        Who writes may go on in the old one until there is something in the new one.
        """
        if self._held is None:
            return [], False
        path = Path(self._own.path)
        try:
            now = path.stat()
        except FileNotFoundError:
            now = None
        try:
            was = os.fstat(self._held)
            if now is not None and os.path.samestat(was, now):
                return [], False
            over = was.st_nlink == 0 or (now is not None and now.st_size > 0)
            found, moved = self._look(self._held, path, _MOST_READINGS, last=over)
        except OSError:
            self._hold(None)  # Its file system is gone: it must not stand before the new one for ever.
            raise
        if over and not moved:
            self._hold(None)
        return found, moved or not over

    def _look(self, file: int, path: Path, most: int, *, first: bool = False, last: bool = False) -> tuple[list[Reading], bool]:
        """New lines of it, and whether it was read on. `last`: nothing more will be written to it, so that its end is a line's end."""
        stat = os.fstat(file)
        key = f"{stat.st_dev}:{stat.st_ino}"
        at, mark = self._offsets.of(key)
        if first:
            self._note(key, stat.st_size, file)
            return [], True
        if at > stat.st_size or (mark is not None and mark != _mark(file, at)):
            at = 0  # It was begun anew, or it is another one with the number of one that was deleted.
        if at == stat.st_size:
            return [], False
        body = os.pread(file, _MOST_BYTES, at)
        end = body.rfind(b"\n") + 1
        if not end and len(body) < _MOST_BYTES and not last:
            return [], False
        if at == 0:
            self._heads.pop(key, None)
        head = self._head(file, key) if self._kind(path) == "csv" else []
        found: list[Reading] = []
        for line in body[: end or len(body)].splitlines(keepends=True):
            if len(found) >= most:
                break
            begins, at = at == 0, at + len(line)
            reading = self._reading(path, line.decode("utf-8-sig", "replace").strip(), head, first=begins)
            if reading is not None:
                found.append(reading)
        self._note(key, at, file)
        return found, True

    def _note(self, key: str, at: int, file: int) -> None:
        self._offsets.at(key, at, _mark(file, at))
        self._moved = True

    def _head(self, file: int, key: str) -> list[str]:
        if key not in self._heads:
            if len(self._heads) >= MOST_FILES:
                self._heads.clear()
            line = os.pread(file, _MOST_BYTES, 0).partition(b"\n")[0].decode("utf-8-sig", "replace")
            self._heads[key] = [name.strip() for name in line.split(self._own.separator)]
        return self._heads[key]

    def _kind(self, path: Path) -> str:
        if self._own.format != "auto":
            return self._own.format
        return {".csv": "csv", ".txt": "pairs", ".log": "pairs"}.get(path.suffix, "jsonl")

    def _reading(self, path: Path, line: str, head: list[str], *, first: bool) -> Reading | None:
        kind = self._kind(path)
        if not line or (kind == "csv" and first):
            return None
        if kind == "csv":
            data = words.columns(line, self._own.separator, head)
        else:
            data = words.document(line) if kind == "jsonl" else words.pairs(line, ";", "=")
        return _timed(data)


def _mark(file: int, at: int) -> int:
    """Of what was read up to `at`: its beginning and its end."""
    return crc32(os.pread(file, min(at, _MARKED_BYTES), max(0, at - _MARKED_BYTES)), crc32(os.pread(file, min(at, _MARKED_BYTES), 0)))


def _timed(data: dict[str, Any]) -> Reading:
    """`ts` is when it was measured, ISO 8601 with its offset; `status` and `environment` are the reading's own."""
    ts = None
    said = data.pop("ts", None)
    if said is not None:
        try:
            ts = datetime.fromisoformat(said)
        except (TypeError, ValueError):
            data["ts"] = NoValue(said)
        if ts is not None and ts.tzinfo is None:
            ts, data["ts"] = None, NoValue(said)
    fields = {name: data.pop(name) for name in ("status", "environment") if isinstance(data.get(name), str)}
    return Reading(data=data, ts=ts, **fields)
