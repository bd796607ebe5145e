"""The wrapper and ops/ in a folder of their own, with a docker in the PATH that only writes down what it is asked. Takes no engine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: What Compose 2.24.4, the oldest that is good enough, says of a production system of which nothing runs.
SYSTEM = [
    ("^compose version --short$", "2.24.4\n"),
    ("^compose config --services$", "gateway\ndb\ncroody\ntelemetry-gateway\nids-ml\nbridge\nbroker\nworker\nbackup\n"),
    (r"^compose config --hash \*$", "croody hash\n"),
]


class Clone:
    """A clone of somebody, and what its docker was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "croody"
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(ROOT / "ops", self.folder / "ops")
        shutil.copy(ROOT / "croody", self.folder)
        shutil.copy(ROOT / "tests" / "ops" / "fake_docker.py", self.bin)
        self.program("docker", f'exec {sys.executable} -S {self.bin}/fake_docker.py "$@"')
        self.answers: list[tuple[str, str, int]] = []
        self.containers: list[dict[str, str]] = []

    def answer(self, pattern: str, output: str = "", status: int = 0) -> None:
        """What docker says to a question; later answers come before earlier ones."""
        self.answers.insert(0, (pattern, output, status))

    def container(self, name: str, service: str, state: str = "running", *, of_run: bool = False, folder: Path | None = None) -> None:
        """A container that there is; the oldest comes first. With `of_run` it is one of `docker compose run SERVICE`.

        It is a system's of this folder, or of another one.
        """
        self.containers.append(
            {"id": name, "service": service, "state": state, "oneoff": str(of_run), "folder": str(folder or self.folder)}
        )

    def program(self, name: str, text: str) -> None:
        """Another program that comes before the machine's own."""
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def run(self, *command: str, cwd: Path | None = None, environ: dict[str, str] | None = None, **options: Any) -> "Told":
        """Run `./croody COMMAND`, or a program by its path."""
        (self.bin / "answers").write_text(json.dumps([*self.answers, *((pattern, output, 0) for pattern, output in SYSTEM)]))
        (self.bin / "containers").write_text(json.dumps(self.containers))
        (self.bin / "calls").write_text("")
        program = command if "/" in command[0] else (str(self.folder / "croody"), *command)
        plain = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
        done = subprocess.run(
            program, cwd=cwd or self.folder, env={**plain, **(environ or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=60, **options,
        )  # fmt: skip
        return Told(done.returncode, done.stdout, done.stderr, (self.bin / "calls").read_text().splitlines())


class Told:
    """How a command ended, what it printed, what it said, and what it asked of docker."""

    def __init__(self, status: int, printed: str, said: str, calls: list[str]) -> None:
        self.status, self.printed, self.said, self.calls = status, printed, said, calls

    def asked(self, part: str) -> list[str]:
        """What docker was asked that contains this."""
        return [call for call in self.calls if part in call]
