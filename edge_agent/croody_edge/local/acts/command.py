"""A rule's program: started without a shell, with the act in its environment, one at a time, ended when it takes too long.

Its environment is made here: the agent's own has the robot's secret. What it prints goes to the agent's standard error.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from typing import Final

from croody_edge.local.acts.worker import Undone
from croody_edge.local.rules.config import code_of, command_refused
from croody_edge.local.rules.keeper import Act
from croody_edge.texts import text

#: So many starts at once, and one more every so many seconds.
_AT_ONCE: Final = 10.0
_EVERY_S: Final = 6.0
_LOOK_S: Final = 0.1
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Command:
    """Starts programs of rules."""

    def __init__(self, robot_id: str, file: Path, monotonic: Callable[[], float] = monotonic) -> None:
        """Args: `file` is where the rules are written: who else may write it may start nothing."""
        self._robot_id, self._file, self._monotonic = robot_id, file, monotonic
        self._left, self._at_s = _AT_ONCE, monotonic()

    def __call__(self, act: Act, closed: Flag) -> None:
        """See `Worker`."""
        why = command_refused(act.rule, self._file)
        if why:
            raise Undone(why)
        if not self._may():
            raise Undone(text("rules.too_often", most=round(60 / _EVERY_S)))
        try:
            started = subprocess.Popen(
                act.rule.command,
                env=environment_of(self._robot_id, act),
                stdin=subprocess.DEVNULL,
                stdout=2,
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Undone(f"{act.rule.command[0]}: {error}") from error
        code = _ended(started, act.rule.timeout_s, closed)
        if code is None:
            raise Undone(text("rules.too_long", program=act.rule.command[0], seconds=act.rule.timeout_s))
        if code:
            raise Undone(text("rules.exit", program=act.rule.command[0], code=code))

    def _may(self) -> bool:
        mono_s = self._monotonic()
        self._left = min(_AT_ONCE, self._left + (mono_s - self._at_s) / _EVERY_S)
        self._at_s = mono_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def environment_of(robot_id: str, act: Act) -> dict[str, str]:
    """All that the program is told."""
    told = {
        "ROBOT_ID": robot_id,
        "RULE": act.name,
        "CODE": code_of(act.name, act.rule),
        "STATE": act.turn,
        "SEVERITY": act.rule.severity,
        "METRIC": act.rule.metric,
        "VALUE": str(act.value),
        "LIMIT": str(act.rule.limit),
        "AT": datetime.fromtimestamp(act.at_s, UTC).isoformat(timespec="seconds"),
    }
    return {"PATH": _PATH, "LANG": os.environ.get("LANG", "C.UTF-8")} | {f"CROODY_{name}": value for name, value in told.items()}


def _ended(started: "subprocess.Popen[bytes]", timeout_s: float, closed: Flag) -> int | None:
    """Its exit status; None when it was ended, with everything that it started."""
    until_s = monotonic() + timeout_s
    try:
        while monotonic() < until_s and not closed.is_set():
            try:
                return started.wait(_LOOK_S)
            except subprocess.TimeoutExpired:
                continue
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
