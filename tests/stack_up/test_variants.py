"""`make up` on the larger parts: PostgreSQL, Mosquitto, two bridges, twenty robots; and the tutorial's own commands."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import A_BUSY_SECOND_S
from tests.stack_up.newcomer import environ
from tests.stack_up.system import System, wait_until
from tools.stack import ROOT, leftovers
from tools.stack.postgres import installed

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
_BLOCK = re.compile(r"^```sh( skip)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "croody"


@pytest.mark.skipif(
    not installed() or shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None, reason="apt-get install postgresql mosquitto"
)
def test_twenty_robots_on_postgresql_and_mosquitto_with_two_bridges(folder: Path) -> None:
    system = System(folder, DB="postgres", BROKER="mosquitto", BRIDGES="2", ROBOTS="20")
    try:
        system.up()
        assert system.pid("bridge-2") in leftovers.find(system.run)
        postgres = system.pid("postgres")
        assert postgres is not None
        if os.geteuid() == 0:
            assert f"Uid:\t{os.stat(system.run / 'postgres').st_uid}" in Path(f"/proc/{postgres}/status").read_text()
            assert os.stat(system.run / "postgres").st_uid != 0
        wait_until(
            lambda: len(system.get("/api/telemetry/live")[1]["robots"]) == 22, 30, "twenty robots, a host and an arm do not all report"
        )
        # A new robot's secret reaches Mosquitto without a restart.
        broker = system.pid("broker")
        robot_id, secret = system.croody("robot", "add", "late-robot", "--shared").split()
        where = ["-h", "127.0.0.1", "-p", str(system.ports.mqtt), "-i", robot_id, "-u", robot_id, "-P", secret]
        what = ["-q", "1", "-t", f"croody/v1/{robot_id}/up/telemetry", "-m", '{"data": {"temp_c": 21.5}}']
        wait_until(
            lambda: subprocess.run(["mosquitto_pub", *where, *what], capture_output=True, timeout=10, check=False).returncode == 0,
            3,
            "Mosquitto does not know the new robot",
        )
        wait_until(lambda: system.get(f"/api/telemetry/last?robot_id={robot_id}")[0] == 200, 3, "its reading does not arrive")
        assert system.pid("broker") == broker
        # The database is killed under everything, and nothing is missing afterwards.
        os.kill(postgres, signal.SIGKILL)
        wait_until(lambda: system.pid("postgres") not in {None, postgres}, 10, "PostgreSQL did not come back")
        wait_until(lambda: system.get("/api/telemetry/last?robot_id=amr-20")[0] == 200, 20, "the API does not find its database again")
        since = system.get("/api/telemetry/last?robot_id=amr-20")[1]["id"]
        wait_until(lambda: system.get("/api/telemetry/last?robot_id=amr-20")[1].get("id", 0) > since, 30, "nothing new arrives")
        wait_until(lambda: not missing(system), 60, "something is missing")
        assert system.end() < 2 * A_BUSY_SECOND_S
    finally:
        system.close()


def missing(system: System) -> list[str]:
    status, streams = system.get("/api/telemetry/streams")
    return [stream["robot_id"] for stream in streams if stream["missing"]] if status == 200 else ["no answer"]


@pytest.fixture(scope="module")
def tutorial_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(tmp_path_factory.mktemp("tutorial") / "croody")
    (running.clone / ".venv").symlink_to(sys.prefix)
    running.up()
    yield running
    running.close()


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None or shutil.which("curl") is None, reason="apt-get install mosquitto-clients curl")
@pytest.mark.parametrize(("page", "robot_id"), [("first-robot.md", "first-robot"), ("first-robot.es.md", "primer-robot")])
def test_the_tutorial_works_word_for_word(tutorial_system: System, page: str, robot_id: str) -> None:
    system = tutorial_system
    text = (ROOT / "docs" / "tutorials" / page).read_text(encoding="utf-8")
    blocks = [block for skip, block in _BLOCK.findall(text) if not skip]
    assert len(blocks) >= 8
    script = "\n".join(f"echo '=== {number}'\n{block}" for number, block in enumerate(blocks, 1))
    for name, port in (("web", 8000), ("telemetry", 9000), ("mqtt", 1883), ("robot", 9090)):
        script = re.sub(rf"\b{port}\b", str(getattr(system.ports, name)), script)
    python_path = os.pathsep.join(str(system.clone / name) for name in ("contract", "cloud", "edge_agent", "broker"))
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=system.clone,
        env=environ(PYTHONPATH=python_path, CROODY_BROKER_URL=f"mqtt://127.0.0.1:{system.ports.mqtt}"),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = done.stdout.split("=== ")[1:]
    said = {int(part.split("\n", 1)[0]): part.split("\n", 1)[1] for part in parts}
    assert said[1].split()[0] == robot_id
    assert '"temp_c":21.5' in said[3].replace(" ", "")
    assert "position.lat" in said[4]
    assert '"missing":[]' in said[5].replace(" ", "")
    assert said[7].replace(" ", "").count('"missing":[]') >= 3
    assert "LOGIN_SUCCESS USER" in said[8]
    assert "TEMP=" in said[8]
