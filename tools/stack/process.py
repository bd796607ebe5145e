"""One operating-system process with its pid file and its log. Knows nothing of what the process does."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.stack.health import held_by

#: In the environment of every process of a stack, so that its leftovers can be told from anybody else's.
MARK = "CROODY_STACK_DIR"
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Spec:
    """How to run one process.

    Attributes:
        ready: says whether it serves; asked again until it does.
        port: where it listens on 127.0.0.1. It counts as ready only when it is this process that does, not somebody else there.
        stop_signal: what it takes to end in good order.
        user: the account to drop to, when this process runs as root.
        before: called before each start (a file that must exist, a check that must hold).
    """

    name: str
    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    cwd: Path | None = None
    before: Callable[[], None] = lambda: None
    umask: int = 0o077
    port: int | None = None


def inherited(outer: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """What a process keeps of the caller's environment: nothing that names again, as `NAME` or `NAME_FILE`, what `own` says.

    A reader refuses both at once, and a terminal may well have a robot's `ROBOT_SECRET` exported.
    """
    twins = {name.removesuffix("_FILE") if name.endswith("_FILE") else f"{name}_FILE" for name in own}
    return {name: value for name, value in outer.items() if name not in twins}


class Process:
    """Runs a Spec. Every process leads a session of its own, so that its children end with it."""

    def __init__(self, spec: Spec, state: Path) -> None:
        self.spec = spec
        self.pid_file = state / f"{spec.name}.pid"
        self.log_file = state / f"{spec.name}.log"
        self._state = state
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id, None when it does not run."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.pid is not None

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs or before its first start."""
        return None if self._popen is None else self._popen.poll()

    def start(self) -> None:
        """Start it unless it runs already.

        Raises:
            OSError: the program is not there or may not run.
        """
        if self.alive:
            return
        self._end_group()
        self.spec.before()
        # The kernel ties "end with the parent" to the thread that forks, so a short-lived thread must not ask for it.
        tied = _die_with_parent(self.spec.stop_signal) if threading.current_thread() is threading.main_thread() else None
        account = {"user": self.spec.user, "group": self.spec.user, "extra_groups": []} if self.spec.user and os.geteuid() == 0 else {}
        with self.log_file.open("ab") as log:
            self._popen = subprocess.Popen(  # type: ignore[call-overload]
                self.spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**inherited(os.environ, self.spec.env), **self.spec.env, MARK: str(self._state.resolve())},
                cwd=self.spec.cwd,
                start_new_session=True,
                umask=self.spec.umask,
                preexec_fn=tied,
                **account,
            )
        self.pid_file.write_text(f"{self._popen.pid}\n", encoding="ascii")

    def signal(self, number: int) -> None:
        """Send a signal to the process alone; nothing happens when it is gone."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(number)

    def ask_to_stop(self) -> None:
        """Send the signal that ends it in good order, and do not wait."""
        self.signal(self.spec.stop_signal)

    def wait(self, timeout_s: float) -> bool:
        """Say whether it has ended within `timeout_s` seconds; then its pid file is gone too."""
        if self._popen is not None:
            try:
                self._popen.wait(timeout_s)
            except subprocess.TimeoutExpired:
                return False
        self.pid_file.unlink(missing_ok=True)
        return True

    def stop(self, timeout_s: float = 5.0) -> None:
        """End it in good order, and by force after `timeout_s` seconds."""
        self.ask_to_stop()
        if not self.wait(timeout_s):
            self.kill()
        self._end_group()

    def kill(self) -> None:
        """SIGKILL to it and to its children, and wait until it is gone. Its pid file stays, as after any crash."""
        if self._popen is None:
            return
        self._end_group()
        self._popen.wait()

    def kill_alone(self) -> None:
        """SIGKILL to it alone, as the kernel's out-of-memory killer would: its children see their parent vanish."""
        self.signal(signal.SIGKILL)
        if self._popen is not None:
            self._popen.wait()

    def wait_ready(self, deadline: float) -> bool:
        """Ask `ready` until it holds (True), the process ends or `time.monotonic()` passes `deadline` (False)."""
        while not (self.spec.ready() and self._listens()):
            if not self.alive or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return self.alive

    def _listens(self) -> bool:
        """Whether it is this process, or a child of it, that has its port."""
        return self.spec.port is None or (self._popen is not None and held_by(self.spec.port, self._popen.pid))

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log, for an error message."""
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def trim_log(self, limit_bytes: int = 20 * 2**20) -> None:
        """Begin a new log when this one has grown past the limit; what was in it is `NAME.log.1`."""
        if self.log_file.exists() and self.log_file.stat().st_size > limit_bytes:
            # The process holds the file open for appending, so it is emptied in place.
            shutil.copyfile(self.log_file, self.log_file.with_name(self.log_file.name + ".1"))
            os.truncate(self.log_file, 0)

    def _end_group(self) -> None:
        """Kill it and its children: those that outlived a killed leader hold its port.

        A number whose process is gone may be somebody else's by now (32,768 of them last minutes here), and its group theirs. While
        one of our children lives, the kernel gives the number to nobody.
        """
        if self._popen is None or (self._popen.poll() is not None and Path(f"/proc/{self._popen.pid}").exists()):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)


def _die_with_parent(number: int) -> Callable[[], None]:
    def ask_the_kernel() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)

    return ask_the_kernel
