"""`make up` in a clean clone, driven from outside as a person would: a terminal's output, signals, sockets."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.patience import PATIENCE_S
from tests.stack_up.newcomer import clone_to, environ
from tools.stack import Ports, leftovers

T = TypeVar("T")
ROLES = ("broker", "bridge", "telemetry", "ids", "web", "worker", "sim", "edge-host", "edge-replay")


class System:
    """One `make up`. Its ports are moved, so that it can run beside another one."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.clone = folder if (folder / "Makefile").exists() else clone_to(folder)
        self.run = self.clone / ".run"
        self.ports = Ports.free()
        self._variables = variables
        self._made: subprocess.Popen[bytes] | None = None
        self._terminal = folder.parent / f"{folder.name}.terminal"

    @property
    def environ(self) -> dict[str, str]:
        """What a person typed before `make up`; the environment of this test run unless a test gives none."""
        moved = {f"{name.upper()}_PORT": str(getattr(self.ports, name)) for name in ("web", "telemetry", "ids", "mqtt", "robot")}
        return environ(**{"CROODY_VENV": sys.prefix, **moved, **self._variables})

    def type_up(self) -> None:
        """Type `make up`, and do not wait."""
        if self._made is not None:
            self._made.wait(PATIENCE_S)  # an earlier one that was killed
        with self._terminal.open("wb") as terminal:
            # A session of its own, as a terminal window gives it.
            self._made = subprocess.Popen(
                ["make", "up"],
                cwd=self.clone,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
                # A terminal never ignores Ctrl-C, whatever runs these tests in the background may.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def up(self, within_s: float = 120) -> float:
        """Type `make up`; returns the seconds until it said that it is up."""
        began = time.monotonic()
        self.type_up()
        while "Croody is up" not in self.said:
            assert self._made is not None
            assert self._made.poll() is None, self.said
            assert time.monotonic() - began < within_s, self.said
            time.sleep(0.1)
        return time.monotonic() - began

    @property
    def said(self) -> str:
        """Everything on the terminal so far."""
        return self._terminal.read_text(encoding="utf-8", errors="replace")

    @property
    def web_url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def login_link(self) -> str:
        """The one-time address that was printed."""
        found = re.search(r"(http://\S+)\s+operator login", self.said)
        assert found, self.said
        return found[1]

    def pid(self, name: str) -> int | None:
        """What the pid file says."""
        path = self.run / f"{name}.pid"
        try:
            return int(path.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def supervisor(self) -> int:
        """Process id of `tools.up`."""
        return int((self.run / "up.lock").read_text().split()[0])

    def end(self, number: int = signal.SIGTERM, *, whole_group: bool = False) -> float:
        """SIGTERM to `make` (or Ctrl-C to the terminal's whole group); returns the seconds until nothing was left."""
        assert self._made is not None
        began = time.monotonic()
        if whole_group:
            os.killpg(self._made.pid, number)
        else:
            self._made.send_signal(number)
        self._made.wait(PATIENCE_S)
        wait_until(lambda: not leftovers.find(self.run), PATIENCE_S, "something outlived make up")
        return time.monotonic() - began

    def close(self) -> None:
        """Whatever happened, leave nothing."""
        if self._made is not None and self._made.poll() is None:
            self._made.terminate()
            try:
                self._made.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._made.pid, signal.SIGKILL)
                self._made.wait()
        leftovers.end(self.run)

    def losses(self) -> str:
        """What the supervisor noted, and the ends of the logs of those that it had to start again; empty where all lived."""
        notes = self.run / "up.log"
        said = notes.read_text(encoding="utf-8", errors="replace") if notes.exists() else ""
        died = [name for name in ROLES if f" {name} ended " in said]
        ends = ((self.run / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()[-30:] for name in died)
        return (
            "\n".join([said, *("\n".join([f"end of {name}.log:", *lines]) for name, lines in zip(died, ends, strict=True))]) if died else ""
        )

    def croody(self, *arguments: str) -> str:
        """Standard output of `croody ARGUMENTS`, typed in the clone."""
        python_path = os.pathsep.join(str(self.clone / name) for name in ("contract", "cloud", "edge_agent", "broker"))
        command = [str(Path(sys.prefix) / "bin" / "croody"), *arguments]
        done = subprocess.run(
            command, cwd=self.clone, env=environ(PYTHONPATH=python_path), capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str, port: int | None = None) -> tuple[int, Any]:
        """Status and JSON of a GET, of the telemetry API unless another port is given."""
        return http("GET", f"http://127.0.0.1:{port or self.ports.telemetry}{path}")


def http(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and body (JSON where it is) of one request; (0, reason) where nobody answers."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read()
    except OSError as error:
        return 0, str(error)
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text.decode(errors="replace")


def wait_until(ask: Callable[[], T], within_s: float, otherwise: str) -> T:
    """The first true answer."""
    deadline = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{otherwise} (after {within_s} s)"
        time.sleep(0.05)
    return answer
