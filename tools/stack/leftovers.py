"""Finds and ends what an earlier run of the same stack left behind. Ends nothing that is not proven to be its own."""

import contextlib
import os
import signal
import time
from pathlib import Path

from tools.stack.process import MARK


def find(state: Path) -> list[int]:
    """Ids of living processes that carry this state directory's mark, this process excepted.

    The mark is in the environment, which children inherit and a recycled pid cannot have. PostgreSQL overwrites its
    environment with its title, so it is known by its working directory.
    """
    home = str(state.resolve())
    wanted = f"{MARK}={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        if pid == os.getpid():
            continue
        try:
            ours = wanted in (folder / "environ").read_bytes().split(b"\x00")
            if not ours and (folder / "comm").read_text(encoding="utf-8", errors="replace").strip() == "postgres":
                ours = Path(os.readlink(folder / "cwd")).is_relative_to(home)
            if ours and (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z":
                found.append(pid)
        except (OSError, IndexError):
            continue
    return found


def end(state: Path, *, patience_s: float = 2.0) -> int:
    """End them, politely first; returns how many there were. Stale pid files go too."""
    pids = find(state)
    for number, until in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 2.0)):
        # Asked again before each signal: a pid may have been taken over by somebody else meanwhile.
        for pid in find(state):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        deadline = time.monotonic() + until
        while find(state) and time.monotonic() < deadline:
            time.sleep(0.05)
    for path in state.glob("*.pid"):
        path.unlink(missing_ok=True)
    return len(pids)
