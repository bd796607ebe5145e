"""Runs pip and shows how far it is instead of what it says. Standard library only."""

import os
import queue
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from tools.words import words

_NAMED = re.compile(r"^\s*(?:Collecting|Obtaining|Processing|Requirement already satisfied:) ?(?:\S*/)?([A-Za-z0-9._]*)")


class Failed(Exception):
    """pip ended with an error; `output` is everything it said."""

    def __init__(self, output: str) -> None:
        super().__init__(output[-500:])
        self.output = output


def install(what: tuple[str, str], command: list[str], total: int) -> None:
    """Run a pip command; `what` names it in Spanish and English, `total` is about how many packages there are.

    Raises:
        Failed: pip did not succeed.
    """
    name = words(*what)
    began = time.monotonic()
    # A person's own pip settings (`--user`, a target) must not lead it out of the clone.
    environ = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    environ.pop("PIP_TARGET", None)
    environ.pop("PIP_PREFIX", None)
    line = Line()
    output: list[str] = []
    packages = Path(command[0]).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ, text=True, errors="replace") as pip:
        lines = _lines(pip)
        try:
            while (text := _next(lines, line.every_s)) is not None:
                output.append(text)
                line.show(f"  {name}: {_stage(output, packages, total)}  {time.monotonic() - began:.0f} s")
        except BaseException:
            pip.terminate()
            raise
    if pip.returncode:
        line.end()
        raise Failed("".join(output))
    line.show(f"  ✓ {name}  {time.monotonic() - began:.0f} s", now=True)
    line.end()


class Line:
    """One line of the terminal that is written over; a line every few seconds where the output is not a terminal."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        self.every_s = 0.2 if self.live else 5.0
        self._shown = float("-inf")

    def show(self, text: str, *, now: bool = False) -> None:
        """Show `text` in place of what was there, unless that was a moment ago."""
        if now or time.monotonic() - self._shown >= self.every_s:
            self._shown = time.monotonic()
            print(f"\r\x1b[K{text}" if self.live else text, end="" if self.live else "\n", flush=True)

    def end(self) -> None:
        """Leave the line as it is."""
        if self.live:
            print(flush=True)


def _stage(output: list[str], environment: Path, total: int) -> str:
    """What pip is at, from what it said, and from what is installed already while it says nothing."""
    if any("Installing collected" in text for text in output):
        there = sum(1 for _ in environment.glob("lib/python*/site-packages/*.dist-info"))
        return words(f"instalando {min(there, total)}/{total}", f"installing {min(there, total)}/{total}")
    seen = {found[1] for text in output if (found := _NAMED.match(text))}
    return words(f"descargando {min(len(seen), total)}/{total}", f"downloading {min(len(seen), total)}/{total}")


def _lines(process: "subprocess.Popen[str]") -> "queue.Queue[str | None]":
    """What it prints, as it prints it; None at the end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for text in process.stdout:
            lines.put(text)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _next(lines: "queue.Queue[str | None]", timeout_s: float) -> str | None:
    """The next line; an empty one when nothing is said for a while."""
    try:
        return lines.get(timeout=timeout_s)
    except queue.Empty:
        return ""
