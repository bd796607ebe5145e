"""Who may import what: the import rules hold, would be noticed if they did not, and a module that calls itself pure is."""

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.stack import ROOT, script

PACKAGES = ("contract/croody_contract", "edge_agent/croody_edge", "broker/croody_broker", "cloud/croody", "client/croody_client")
#: What reaches outside: sockets, files, clocks, processes, databases.
OUTSIDE = {"asyncio", "django.db", "http", "httpx", "multiprocessing", "os", "paho", "psycopg", "shutil", "socket"}
OUTSIDE |= {"sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib.request"}


def pure_modules() -> list[Path]:
    """Modules whose first lines say that they are pure."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            if re.search(r"\b[Pp]ure\b(?! handler)", said.split("\n\n")[0]):
                found.append(path)
    return found


def imports(source: str) -> set[str]:
    """Names of the modules that a source text imports, and all their parents."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {".".join(name.split(".")[:length]) for name in names for length in range(1, name.count(".") + 2)}


def test_the_decisions_that_matter_call_themselves_pure() -> None:
    known = {path.relative_to(ROOT).as_posix() for path in pure_modules()}
    assert {
        "cloud/croody/bridge/handler.py",
        "cloud/croody/telemetry/ingest/ledger.py",
        "cloud/croody/liveness/judge.py",
        "edge_agent/croody_edge/screen/decide.py",
        "edge_agent/croody_edge/sync/drain.py",
        "contract/croody_contract/messages.py",
    } <= known


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_that_calls_itself_pure_reaches_nothing_outside(path: Path) -> None:
    assert imports(path.read_text(encoding="utf-8")) & OUTSIDE == set()


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("edge_agent/croody_edge/outbox/queue.py", "import django.utils.timezone", "A robot never carries the cloud"),
        ("edge_agent/croody_edge/link/client.py", "from croody import env", "A robot never carries the cloud"),
        ("edge_agent/croody_edge/sync/drain.py", "import paho.mqtt.client", "On the robot only the link speaks MQTT"),
        ("edge_agent/croody_edge/outbox/queue.py", "from croody_edge.sync import drain", "The robot's rooms are layered"),
        (
            "edge_agent/croody_edge/commands/resend.py",
            "from croody_edge.link import client",
            "Outbox, commands and screen know no connection",
        ),
        ("edge_agent/croody_edge/sim/world.py", "from croody_edge.outbox import queue", "The virtual world knows nothing of the agent"),
        ("contract/croody_contract/topics.py", "import socket", "The contract knows no sockets"),
        ("cloud/croody/bridge/shell.py", "from django.conf import settings", "The bridge imports no Django"),
        ("client/croody_client/shapes.py", "import msgspec", "The client stands alone"),
        ("cloud/croody/telemetry/ingest/ledger.py", "import time", "Decisions are pure"),
    ],
)
def test_a_forbidden_import_breaks_its_rule(tmp_path: Path, module: str, line: str, rule: str) -> None:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("static", "models", "locale", "__pycache__", "data")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}  # noqa: E402\n", encoding="utf-8")
    python_path = os.pathsep.join(str((tmp_path / package).parent) for package in PACKAGES)
    done = subprocess.run(
        [script("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    broken = re.findall(r"^.* BROKEN(?: \(.*\))?$", done.stdout, re.MULTILINE)
    assert len(broken) == 1
    assert broken[0].startswith(rule)
