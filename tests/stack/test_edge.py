"""A board beside the cloud: its own folder with one compose file in it, its own project, and nothing of the cloud but port 8883."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stack.hardening import assert_hardened, assert_no_secret_shows
from tests.stack.robot import robot
from tests.stack.system import FIGURES, OWN, ROOT, TAG, System, eventually, remove_images

pytestmark = pytest.mark.stack
NAME = "robots.test"
ROBOT = "taller-01"
#: Another machine finds the server by its name; this one's engine is asked for it. And health is looked at more often, to wait less.
ANOTHER_MACHINE = """
x-machine: &machine
  extra_hosts: ["NAME:host-gateway"]
services:
  agent:
    <<: *machine
    healthcheck: { interval: 2s, start_period: PATIENCE }
  robot-sim:
    <<: *machine
"""


@pytest.fixture(scope="module")
def cloud(images: None) -> Iterator[System]:
    with System(f"{OWN}-site", ["docker-compose.yml"], CROODY_DOMAIN=NAME, ROBOTS="1") as system:
        system.up()
        yield system


def new_board(folder: Path, project: str, patience_s: int = 30) -> System:
    """A folder as on a board: the compose file, and no sources. `patience_s` is how long it may take to start, seconds."""
    shutil.copy(ROOT / "docker-compose.edge.yml", folder)
    (folder / "another-machine.yml").write_text(ANOTHER_MACHINE.replace("NAME", NAME).replace("PATIENCE", f"{patience_s}s"))
    board = System(project, ["docker-compose.edge.yml", "another-machine.yml"], folder)
    del board.environ["COMPOSE_DISABLE_ENV_FILE"]
    return board


@pytest.fixture(scope="module")
def board(cloud: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """What `./croody robot add ID --board` printed on the server, run on the board."""
    with new_board(tmp_path_factory.mktemp("board"), f"{OWN}-board") as board:
        (board.folder / "lines.sh").write_text(cloud.croody("robot", "add", ROBOT, "--shared", "--board"))
        began = time.monotonic()
        board.run("sh", "lines.sh")
        FIGURES.append(f"a board: from its pasted lines to a connected agent {time.monotonic() - began:.1f} s (image at hand)")
        yield board


def waiting(board: System) -> dict[str, Any]:
    """What the agent says of its outbox and its link."""
    said: dict[str, Any] = json.loads(board.inside("agent", "croody-edge", "status", "--json"))
    return said


def streams(cloud: System) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.get(f"/api/telemetry/streams?robot_id={ROBOT}").json
    return found


def health(board: System) -> str:
    state: str = board.inspect("agent")["State"]["Health"]["Status"]
    return state


def test_the_pasted_lines_connect_a_board_and_its_readings_arrive(cloud: System, board: System) -> None:
    assert (board.folder / ".env").read_text().splitlines()[1] == f"CROODY_BROKER_URL=mqtts://{NAME}:{cloud.mqtts}"
    assert health(board) == "healthy"

    reading = eventually("a reading", lambda: cloud.get(f"/api/telemetry/last?robot_id={ROBOT}").json.get("data"), 20)
    assert {"cpu_pct", "mem_used_pct", "disk_used_pct"} <= set(
        eventually("a second reading", lambda: cloud.get(f"/api/telemetry/last?robot_id={ROBOT}").json["data"], 5) | reading
    )
    assert waiting(board)["link"] == "connected"


def test_the_board_is_hardened_and_shows_no_secret(board: System) -> None:
    assert_hardened(board, "agent")
    assert_no_secret_shows(board, ["agent"], {"ROBOT_SECRET": (board.folder / "secrets" / "ROBOT_SECRET").read_text().strip()})


def test_nothing_is_lost_when_the_agent_is_killed_and_the_broker_is_away(cloud: System, board: System) -> None:
    board.kill("agent")
    eventually("a second stream", lambda: len(streams(cloud)) >= 2 and health(board) == "healthy", 60)

    cloud.compose("stop", "broker")
    gone = datetime.now(UTC)
    try:
        eventually("the agent to say that it is alone", lambda: health(board) == "unhealthy", 60)
        time.sleep(max(0.0, 20 - (datetime.now(UTC) - gone).total_seconds()))
        back = datetime.now(UTC)
        held = waiting(board)
        board.kill("agent", away_s=0.2)
    finally:
        cloud.compose("start", "broker")

    eventually("the outbox to be empty", lambda: waiting(board)["pending"] <= 1 and waiting(board)["link"] == "connected", 60)
    eventually("a third stream", lambda: len(streams(cloud)) >= 3, 20)
    eventually("nothing missing", lambda: all(stream["missing"] == [] for stream in streams(cloud)), 20)
    books = streams(cloud)
    rows = cloud.get(f"/api/telemetry/query?limit=1000&robot_id={ROBOT}").json
    meanwhile = [row for row in rows if gone <= datetime.fromisoformat(row["ts"]) <= back]
    FIGURES.append(
        f"a board killed twice, its broker away for {(back - gone).total_seconds():.0f} s: {held['pending']} records waited, "
        f"{len(meanwhile)} readings of that time stored, {sum(len(stream['missing']) for stream in books)} gaps"
    )

    assert held["link"] == "offline"
    assert held["pending"] >= 15
    assert len(meanwhile) >= 15
    assert all(stream["dropped"] == [] and stream["dead_letters"] == 0 for stream in books)


def test_it_stops_within_fifteen_seconds_and_leaves_nothing_behind(cloud: System, board: System) -> None:
    began = time.monotonic()
    board.compose("stop")
    took_s = time.monotonic() - began

    assert board.inspect("agent")["State"]["ExitCode"] == 0
    assert took_s < 15
    eventually("the cloud to know", lambda: all(stream["missing"] == [] for stream in streams(cloud)), 10)
    board.compose("up", "-d", "--wait")


def how_to(language: str) -> list[str]:
    """The commands in the how-to's table of every day."""
    text = (ROOT / "docs" / "how-to" / f"edge-board{language}.md").read_text(encoding="utf-8")
    return re.findall(r"`(docker compose [^`]+)`", text.partition("\n## 3.")[2].partition("\n## 4.")[0])


def test_the_how_to_names_commands_that_work_and_the_same_in_both_languages(board: System) -> None:
    commands = how_to("")

    assert len(commands) >= 6
    assert how_to(".es") == commands
    for command in commands:
        if "down -v" not in command:
            board.run(*command.split())


def test_a_device_of_the_board_is_handed_in_by_a_setting(board: System) -> None:
    board.environ["EDGE_DEVICE"] = "/dev/full"
    try:
        board.compose("up", "-d", "--wait")
        assert [device["PathOnHost"] for device in board.inspect("agent")["HostConfig"]["Devices"]] == ["/dev/full"]
        board.inside("agent", "test", "-c", "/dev/full")
    finally:
        del board.environ["EDGE_DEVICE"]


def wrong_secret(board: System) -> None:
    (board.folder / "secrets" / "ROBOT_SECRET").write_text("x" * 43)


def wrong_authority(board: System) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=somebody"]
    subprocess.run([*command, "-keyout", "/dev/null", "-out", board.folder / "secrets" / "ca" / "ca.pem"], check=True, capture_output=True)


def wrong_address(board: System) -> None:
    text = (board.folder / ".env").read_text()
    (board.folder / ".env").write_text(re.sub(rf"(mqtts://{NAME}):\d+", r"\1:1", text))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (wrong_secret, f"`croody robot rotate {ROBOT}`"),
        (wrong_authority, "CROODY_CA_FILE (/ca/ca.pem) did not sign it"),
        (wrong_address, f"nobody listens at {NAME}:1"),
    ],
    ids=["secret", "authority", "address"],
)
def test_a_board_that_was_set_up_wrongly_is_unhealthy_and_says_what_to_do(board: System, tmp_path: Path, spoil: Any, said: str) -> None:
    for name in ("secrets", ".env"):
        source = board.folder / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    with new_board(tmp_path, f"{OWN}-wrong", patience_s=4) as wrong:
        spoil(wrong)

        with pytest.raises(AssertionError, match="unhealthy"):
            wrong.compose("up", "-d", "--wait")

        (line,) = [line for line in wrong.compose("logs", "--no-log-prefix", "agent").splitlines() if "WARNING" in line]
        assert said in line
        assert "unhealthy" in wrong.compose("ps")
        assert said in wrong.inside("agent", "croody-edge", "status")


def test_virtual_robots_run_in_the_agents_place(cloud: System, board: System) -> None:
    names = ["virtual-01", "virtual-02"]
    (board.folder / "secrets" / "ROBOTS_SIM").write_text("".join(cloud.croody("robot", "add", name, "--shared") for name in names))
    (board.folder / "secrets" / "ADMIN_PASSWORD").write_text("a password of the test")
    before = board.container("agent")

    board.compose("--profile", "sim", "up", "-d", "--wait", "robot-sim")

    assert_hardened(board, "robot-sim")
    for name in names:
        eventually(f"a reading of {name}", lambda name=name: cloud.get(f"/api/telemetry/last?robot_id={name}").status == 200, 30)
    with robot(board.robot) as user:
        assert user.ask("LOGIN USER -") == "LOGIN_SUCCESS USER"
    assert board.container("agent") == before


@pytest.mark.skipif(not os.environ.get("CROODY_STACK_ARM64"), reason="emulation takes minutes: CROODY_STACK_ARM64=1 asks for it")
def test_a_board_of_another_platform_publishes_and_screens_its_sensors(
    cloud: System, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tag = f"{TAG}-arm64"
    request.addfinalizer(lambda: remove_images(cloud, tag))
    cloud.run("docker", "build", "--platform", "linux/arm64", "-f", "edge_agent/Dockerfile", "-t", f"croody-edge:{tag}", ".", timeout_s=900)
    with new_board(tmp_path, f"{OWN}-arm64", patience_s=120) as board:
        board.environ |= {"CROODY_VERSION": tag, "CROODY_SOURCE": "sim", "DOCKER_DEFAULT_PLATFORM": "linux/arm64"}
        (board.folder / "lines.sh").write_text(cloud.croody("robot", "add", "arm-01", "--shared", "--board"))
        board.run("sh", "lines.sh")

        assert board.inside("agent", "uname", "-m").strip() == "aarch64"

        def scored() -> object:
            last = cloud.get("/api/telemetry/last?robot_id=arm-01")
            return last.status == 200 and "screen_score" in last.json["data"]

        eventually("a reading that the model on the board has scored", scored, 120, every_s=1)
        board.compose("stop")
        assert board.inspect("agent")["State"]["ExitCode"] == 0
        assert [stream["missing"] for stream in cloud.get("/api/telemetry/streams?robot_id=arm-01").json] == [[]]
