"""Tells which processes run code that has just changed, for `make dev`. Looks at modification times only."""

from pathlib import Path

from tools.stack import ROOT

_CLOUD = ("telemetry", "ids", "web", "worker", "bridge")
_EDGE = ("sim", "edge-host", "edge-replay")
#: Source folder -> processes that import it.
IMPORTERS = {
    "cloud/croody": _CLOUD,
    "edge_agent/croody_edge": _EDGE,
    "broker/croody_broker": ("broker",),
    "contract/croody_contract": (*_CLOUD, *_EDGE, "broker"),
}
_SUFFIXES = {".py", ".html", ".mo"}


class Watcher:
    """Remembers what the sources looked like."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._seen = {folder: self._look(folder) for folder in IMPORTERS}

    def changed(self) -> list[str]:
        """Names of the processes to restart since the last call."""
        names: dict[str, None] = {}
        for folder, importers in IMPORTERS.items():
            now = self._look(folder)
            if now != self._seen[folder]:
                self._seen[folder] = now
                names |= dict.fromkeys(importers)
        return list(names)

    def _look(self, folder: str) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (self._root / folder).rglob("*") if path.suffix in _SUFFIXES}
