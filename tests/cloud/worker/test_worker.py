"""`croody worker` as processes, on both databases: one leads, another takes over, SIGTERM ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

MIGRATE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", "--skip-checks", verbosity=0)
"""
CROODY = [sys.executable, "-m", "croody.manage"]


@pytest.fixture(params=["sqlite", "postgres"])
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    url = request.getfixturevalue("postgres_database") if request.param == "postgres" else f"sqlite:///{tmp_path / 'croody.db'}"
    wanted = {**os.environ, "DATABASE_URL": url, "CROODY_STATE_DIR": str(tmp_path), "CROODY_ROLE": "worker"}
    wanted.pop("TG_DB_PATH", None)
    subprocess.run([sys.executable, "-c", MIGRATE], env=wanted, check=True, capture_output=True)
    return wanted


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []

    def begin(name: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"{name}.log").open("ab") as log:
            running.append(subprocess.Popen([*CROODY, "worker"], env=environ, stderr=log))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()


def until(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def test_one_leads_the_next_takes_over_and_a_new_robot_is_in_the_file_within_a_second(start, environ, tmp_path):
    def leads(name: str) -> bool:
        return "leading: running" in (tmp_path / f"{name}.log").read_text()

    first = start("first")
    until(lambda: leads("first"))
    until((tmp_path / "broker" / "acl").exists)
    start("second")
    until(lambda: (tmp_path / "worker.heartbeat").read_text().startswith("standby"))
    time.sleep(1.0)
    assert not leads("second")
    first.kill()
    first.wait()
    until(lambda: leads("second"))
    added = subprocess.run([*CROODY, "robot", "add", "rover-1"], env=environ, check=True, capture_output=True, text=True).stdout
    begun = time.monotonic()
    until(lambda: "rover-1:$7$" in (tmp_path / "broker" / "passwd").read_text())
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    assert added.split()[0] == "rover-1"
    assert (tmp_path / "worker.heartbeat").read_text().split()[0] == "leader"


def test_sigterm_ends_it_within_two_seconds_and_frees_the_lead(start, tmp_path):
    worker = start("only")
    until(lambda: (tmp_path / "worker.heartbeat").exists())
    begun = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    start("next")
    until(lambda: "leading: running" in (tmp_path / "next.log").read_text())
