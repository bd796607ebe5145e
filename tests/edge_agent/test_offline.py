"""The agent is installed from one folder, without a network, into an environment of its own, and works there."""

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.broker.house import ALICE, free_ports, running, secret_of
from tools.edge_offline import build

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = build("amd64", tmp_path_factory.mktemp("dist"), ["serial"])
    target = tmp_path_factory.mktemp("board")
    with tarfile.open(made) as tar:
        tar.extractall(target, filter="data")
    [opened] = target.iterdir()
    return opened


def install(folder: Path, to: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """In a network namespace with nothing in it, where this machine lets us make one."""
    alone = ["unshare", "-rn"] if shutil.which("unshare") and not subprocess.run(["unshare", "-rn", "true"], check=False).returncode else []
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **more}
    return subprocess.run([*alone, str(folder / "install.sh"), str(to)], env=env, capture_output=True, text=True, timeout=300, check=False)


def test_without_a_network_it_is_installed_and_a_broker_lets_it_in(folder: Path, tmp_path: Path) -> None:
    done = install(folder, tmp_path / "venv")
    assert done.returncode == 0, done.stderr
    assert "croody robot claim ID" in done.stdout
    assert f"ExecStart={tmp_path}/venv/bin/croody-edge run\n" in (tmp_path / "venv" / "croody-edge.service").read_text()
    with running("amqtt", tmp_path, free_ports(1)) as house:
        env = {
            "PATH": "/usr/bin:/bin",
            "ROBOT_ID": ALICE,
            "ROBOT_SECRET": secret_of(ALICE),
            "CROODY_BROKER_URL": f"mqtt://127.0.0.1:{house.port}",
            "CROODY_EDGE_DIR": str(tmp_path / "edge"),
        }
        told = subprocess.run([tmp_path / "venv/bin/croody-edge", "doctor", "--json"], env=env, capture_output=True, text=True, check=False)
    said = json.loads(told.stdout)
    assert said["ok"], said
    assert next(finding for finding in said["findings"] if finding["check"] == "model")["state"] == "ok", "its libraries are there, too"
    there = {path.name.partition("-")[0].lower() for path in (tmp_path / "venv").rglob("*.dist-info")}
    assert {"croody_edge", "croody_contract", "paho_mqtt", "pyserial"} <= there
    assert not {"django", "pip"} & there


def test_a_folder_that_is_not_whole_and_another_python_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    wheel = next((copy / "wheels").glob("croody_edge-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"x")
    assert "copy it again" in install(copy, tmp_path / "venv").stderr
    (copy / "python-version").write_text("3.99\n")
    assert "this is for Python 3.99" in install(copy, tmp_path / "venv").stderr
    assert "no hay /no/python" in install(copy, tmp_path / "venv", PYTHON="/no/python", LANG="es").stderr
    assert not (tmp_path / "venv").exists()
