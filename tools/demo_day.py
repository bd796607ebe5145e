"""The demo's day of forty robots on a stack of its own, going on as if it were now: for pictures and for the bench."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.stack import Spec, Stack, script

#: Whose eyes: she may change what she sees.
_USER: Final = "marta"
#: The whole day is made in a minute, on a busy machine in several.
_DAY_S: Final = 900.0


def begin(stack: Stack, *, hours: float = 24) -> None:
    """Play the day on a prepared stack, let it go on, and start the web server.

    Raises:
        Problem: it did not get there.
    """
    environment: Mapping[str, str] = {**stack.processes["web"].spec.env, "PYTHONUNBUFFERED": "1"}
    log = stack.layout.root / "day.log"
    command = [script("croody"), "demo", "--day", "--live", "--hours", f"{hours:g}"]
    stack.add(Spec("day", command, environment, ready=lambda: "Ctrl-C" in _text(log)))
    stack.start("day", timeout_s=_DAY_S)
    stack.start("web")


def link(stack: Stack) -> str:
    """A one-time address that signs her in."""
    return stack.manage("login-link", "--user", _USER, "--minutes", "60", "--base", stack.web_url).strip()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
