"""balena's own tools from npm, in a folder of this clone, and what they say. Knows Node.js; builds on the engine at hand."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stack.system import ROOT

_SCRIPTS = Path(__file__).with_name("balena")
_FOLDER = ROOT / ".tools" / "balena"
_NODE_AT_LEAST = 20


class Toolkit:
    """The scripts in `balena/` beside this file, with the packages that they need."""

    def __init__(self) -> None:
        """Install what is missing; skips the test where there is no Node.js that the packages take."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            pytest.skip("balena's tools need Node.js 20 and npm, and they are not here")
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        if int(re.findall(r"\d+", version)[0]) < _NODE_AT_LEAST:
            pytest.skip(f"balena's tools need Node.js {_NODE_AT_LEAST}, and here is {version.strip()}")
        self._node = node
        wanted = (_SCRIPTS / "package.json").read_text(encoding="utf-8")
        done = _FOLDER / "package.json.installed"
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            self._install(npm, wanted)
            done.write_text(wanted, encoding="utf-8")

    def _install(self, npm: str, wanted: str) -> None:
        shutil.rmtree(_FOLDER, ignore_errors=True)
        _FOLDER.mkdir(parents=True)
        (_FOLDER / "package.json").write_text(wanted, encoding="utf-8")
        # No script of theirs runs, and what only their way to balena's servers needs stays out.
        command = [npm, "install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--no-package-lock", "--omit=dev"]
        subprocess.run(command, cwd=_FOLDER, stdin=subprocess.DEVNULL, check=True, timeout=300)
        program = _FOLDER / "node_modules" / "@balena" / "compose-parser" / "bin" / "balena-compose-parser"
        program.parent.mkdir()
        shutil.copy(_SCRIPTS / "compose-go.js", program)
        program.chmod(0o755)

    def ask(self, script: str, *arguments: str, timeout_s: float = 60) -> str:
        """What a script prints."""
        command = [self._node, str(_SCRIPTS / script), *arguments]
        environ = {**os.environ, "NODE_PATH": str(_FOLDER / "node_modules")}
        done = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout_s
        )
        assert done.returncode == 0, f"{script} {' '.join(arguments)}\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    def parse(self, *files: Path) -> dict[str, Any]:
        """What both parsers say of compose files, and what they deny."""
        said: dict[str, Any] = json.loads(self.ask("parse.js", *map(str, files)))
        return said

    def build(self, tree: Path, architecture: str, device: str, base: str = "") -> dict[str, Any]:
        """Build a tree as for a board; says which images came out, of which service."""
        arguments = [str(tree), architecture, device, *([base] if base else [])]
        built: dict[str, Any] = json.loads(self.ask("build.js", *arguments, timeout_s=1500))
        return built
