"""Runs pip and shows how far it is instead of what it says. Standard library only."""

import os
import re
import subprocess
import sys
import time

from tools.words import words

_COLLECTED = re.compile(r"^\s*(?:Collecting|Obtaining|Processing|Requirement already satisfied:) ?(?:\S*/)?([A-Za-z0-9._]*)")
_EVERY_S = 5.0


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
    seen: set[str] = set()
    shown = 0.0
    output: list[str] = []
    # A person's own pip settings (`--user`, a target) must not lead it out of the clone.
    environ = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    environ.pop("PIP_TARGET", None)
    environ.pop("PIP_PREFIX", None)
    line = Line()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ, text=True, errors="replace") as pip:
        assert pip.stdout is not None
        try:
            for text in pip.stdout:
                output.append(text)
                found = _COLLECTED.match(text)
                if found:
                    seen.add(found[1])
                now = time.monotonic()
                if now - shown > (0.2 if line.live else _EVERY_S):
                    shown = now
                    stage = words("instalando", "installing") if "Installing collected" in text else f"{min(len(seen), total)}/{total}"
                    line.show(f"  {name}: {stage}  {now - began:.0f} s")
                if "Installing collected" in text:
                    line.show(f"  {name}: {words('copiando archivos', 'copying files')} ({len(seen)})  {now - began:.0f} s")
        except KeyboardInterrupt:
            pip.terminate()
            raise
    if pip.returncode:
        line.end()
        raise Failed("".join(output))
    line.show(f"  ✓ {name}  {time.monotonic() - began:.0f} s")
    line.end()


class Line:
    """One line of the terminal that is written over; a line each where the output is no terminal."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()

    def show(self, text: str) -> None:
        """Show `text` in place of what was there."""
        print(f"\r\x1b[K{text}" if self.live else text, end="" if self.live else "\n", flush=True)

    def end(self) -> None:
        """Leave the line as it is."""
        if self.live:
            print(flush=True)
