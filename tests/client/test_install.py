"""The client installs from the repository into an environment that has nothing else, and works there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack_up.newcomer import environ
from tools.stack import ROOT


@pytest.mark.slow
def test_pip_installs_the_client_alone(tmp_path: Path) -> None:
    source = tmp_path / "client"
    shutil.copytree(ROOT / "client", source, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([*build, "-w", str(tmp_path), str(source)], check=True, env=environ())
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    [wheel] = tmp_path.glob("*.whl")
    install = [str(python), "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, env=environ())
    ask = """
from croody_client import Away, Client
try:
    list(Client("http://127.0.0.1:9", tries=1).robots())
except Away as error:
    print(error)
"""
    said = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True, env=environ(), cwd=tmp_path).stdout
    assert "refused" in said
