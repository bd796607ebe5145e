"""Types a command into a shell on a terminal of its own, as a person does. Knows processes and terminals, nothing of docker."""

import os
import pty
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: The end of what a program shows while it waits for somebody: `Password: `, `root@box:/app$ `, `[y/N] `.
_ASKS = re.compile(r"[:$#\]] \Z")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class Typed:
    """What was shown, and the exit status; none for a command that goes on for ever and was ended."""

    shown: str
    status: int | None


def typed(
    command: str, cwd: Path, environ: Mapping[str, str], answers: Iterable[str] = (), ends: bool = True, limit_s: float = 400
) -> Typed:
    """Run `command` by bash; each time that it asks, the next answer is typed.

    Args:
        command: as it stands in a document.
        cwd: where.
        environ: its environment.
        answers: lines without their end.
        ends: false for what goes on until Ctrl-C, which is pressed when something has been shown for two seconds.
        limit_s: how long all of it may take, seconds.

    Raises:
        AssertionError: it took longer.
    """
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "-c", command],
        cwd=cwd,
        env={**environ, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    waiting = list(answers)
    shown, began, pressed, answered = "", time.monotonic(), False, 0
    first_s: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        try:
            while chunk := _next(selector, ours):
                shown += _COLOURS.sub("", chunk.decode(errors="replace")).replace("\r", "").replace("\0", "")
                now = time.monotonic()
                assert now - began < limit_s, f"{command}: not done within {limit_s} s\n{shown[-3000:]}"
                first_s = first_s or (now if shown else None)
                if waiting and len(shown) > answered and _ASKS.search(shown):
                    answered = len(shown)
                    os.write(ours, waiting.pop(0).encode() + b"\n")
                if not ends and not pressed and first_s and now - first_s > 2:
                    os.killpg(shell.pid, signal.SIGINT)
                    pressed = True
        finally:
            # Waited for first: who still holds a terminal that goes away is told to hang up.
            try:
                shell.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(shell.pid, signal.SIGKILL)
                shell.wait()
            os.close(ours)
    return Typed(shown, shell.returncode if ends else None)


def _next(selector: selectors.BaseSelector, terminal: int) -> bytes:
    """What came within a second, a NUL when nothing did, nothing when the terminal was closed."""
    if not selector.select(1):
        return b"\0"
    try:
        return os.read(terminal, 65536)
    except OSError:  # what Linux says when the last one closed it
        return b""
