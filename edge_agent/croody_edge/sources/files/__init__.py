"""Files that another program writes: new lines of them, and new ones of a folder. JSON lines, CSV with a head, or `K=V` pairs.

What was read is remembered across restarts. A file that begins anew is read from its beginning; a line is read when it has its end.
"""

from datetime import datetime
from glob import iglob
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from croody_contract.messages import Reading
from croody_edge.sources import Context, NoValue, SourceSettings, words
from croody_edge.sources.files.offsets import MOST_FILES, Offsets

#: Read at one look, bytes; and the longest line.
_MOST_BYTES: Final = 64 * 1024
#: Readings of one look.
_MOST_READINGS: Final = 200


class FilesSettings(SourceSettings, frozen=True):
    """`path` may be a pattern such as `/data/in/*.jsonl`; with `from_end` what is there at the first start is passed over."""

    path: Annotated[str, Meta(min_length=1)]
    format: Literal["auto", "jsonl", "csv", "pairs"] = "auto"
    separator: Annotated[str, Meta(min_length=1, max_length=8)] = ","
    from_end: bool = False


class Files:
    """A `PullSource` that `Remembers`."""

    Settings = FilesSettings
    catches_up = True

    def __init__(self, own: FilesSettings, context: Context) -> None:
        self.interval_s, self._own = own.interval_s, own
        memory = context.edge_dir / f"{context.name}.read.json"
        self._offsets, self._first = Offsets(memory), own.from_end and not memory.exists()
        self._heads: dict[str, list[str]] = {}
        self._moved = False

    def read(self, now: float) -> list[Reading]:
        """What has come since the last look.

        Raises:
            OSError: a file cannot be read, or nothing fits the path.
        """
        paths = sorted(islice(iglob(self._own.path), MOST_FILES))
        if not paths and "*" not in self._own.path:
            raise FileNotFoundError(2, "No such file", self._own.path)
        found: list[Reading] = []
        for path in map(Path, paths):
            if path.is_file() and len(found) < _MOST_READINGS:
                readings, moved = self._look(path, _MOST_READINGS - len(found))
                found += readings
                self._moved = self._moved or moved
        self._first = False
        return found

    def place(self) -> dict[str, int] | None:
        """See `Remembers`."""
        moved, self._moved = self._moved, False
        return self._offsets.now() if moved else None

    def kept(self, place: dict[str, int]) -> None:
        """See `Remembers`."""
        self._offsets.save(place)

    def close(self) -> None:
        """Nothing is held open."""

    def _look(self, path: Path, most: int) -> tuple[list[Reading], bool]:
        with path.open("rb") as file:
            stat = path.stat()
            key = f"{stat.st_dev}:{stat.st_ino}"
            at = self._offsets.of(key)
            if self._first:
                self._offsets.at(key, stat.st_size)
                return [], True
            if at > stat.st_size:
                at = 0  # It was begun anew.
            if at == stat.st_size:
                return [], False
            file.seek(at)
            body = file.read(_MOST_BYTES)
            end = body.rfind(b"\n") + 1
            if not end and len(body) < _MOST_BYTES:
                return [], False
            lines = body[: end or len(body)].splitlines(keepends=True)
            head = self._head(path, key) if self._kind(path) == "csv" else []
            found: list[Reading] = []
            for line in lines:
                if len(found) >= most:
                    break
                first, at = at == 0, at + len(line)
                reading = self._reading(path, line.decode("utf-8-sig", "replace").strip(), head, first=first)
                if reading is not None:
                    found.append(reading)
            self._offsets.at(key, at)
        return found, True

    def _head(self, path: Path, key: str) -> list[str]:
        if key not in self._heads:
            if len(self._heads) >= MOST_FILES:
                self._heads.clear()
            with path.open("rb") as file:
                line = file.readline(_MOST_BYTES).decode("utf-8-sig", "replace")
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
