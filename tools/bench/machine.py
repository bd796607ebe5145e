"""What the figures were taken on: cores, versions, commit, and how busy the machine was before anything began."""

import os
import platform
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tools.stack import ROOT
from tools.stack.postgres import binary
from tools.words import Problem

#: A machine whose processors others use for more than this share is not quiet.
QUIET_SHARE: Final = 0.1
_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Machine:
    """`busy`: the share of all processors that others used, 0 to 1. `versions`: program -> version."""

    cores: int
    busy: float
    load_1m: float
    commit: str
    versions: Mapping[str, str]
    at: datetime

    @property
    def quiet(self) -> bool:
        """Whether figures may be kept."""
        return self.busy <= QUIET_SHARE

    def text(self) -> str:
        """One line for the table."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        state = "quiet" if self.quiet else "**not quiet**"
        return (
            f"{self.at:%d %B %Y}, commit {self.commit}, {self.cores} cores, {state} at the start "
            f"({100 * self.busy:.0f} % busy, load {self.load_1m:.2f}); {versions}."
        )


def look(watch_s: float = 2.0) -> Machine:
    """Look for `watch_s` seconds at what others do here; nothing of ours runs yet."""
    before = _ticks()
    time.sleep(watch_s)
    after = _ticks()
    total = after[0] - before[0]
    busy = 1 - (after[1] - before[1]) / total if total else 0.0
    return Machine(os.cpu_count() or 1, busy, os.getloadavg()[0], _commit(), _versions(), datetime.now(UTC))


def _ticks() -> tuple[int, int]:
    """All ticks of all processors so far, and those in which nothing ran."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    ticks = [int(part) for part in first.split()[1:9]]
    return sum(ticks), ticks[3] + ticks[4]


def _commit() -> str:
    head = _said(["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"])
    # The page that the bench itself writes says nothing of what was measured.
    others = ["--untracked-files=no", "--", ".", ":!docs/reference/bench.md"]
    changed = _said(["git", "-C", str(ROOT), "status", "--porcelain", *others])
    return (head or "unknown") + (" with changes" if changed else "")


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    with suppress(Problem, IndexError):
        found["PostgreSQL"] = _said([str(binary("postgres")), "--version"]).split()[2]
    mosquitto = shutil.which("mosquitto", path=_PATH)
    if mosquitto:
        # `-h` names the version and ends with status 3.
        found["Mosquitto"] = (_said([mosquitto, "-h"]).split() + ["?"] * 3)[2]
    node = shutil.which("node", path=_PATH)
    if node:
        found["Node.js"] = _said([node, "--version"]).lstrip("v")
    return found


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()
    except OSError:
        return ""
