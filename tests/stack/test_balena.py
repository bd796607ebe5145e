"""The tree of `make balena`: read by both of balena's parsers, built by its own builder, and run as its supervisor would run it.

A board of balena's is an engine with the supervisor's mounts, variables and locks: those the tests lay around it. What cannot be had here
is balena's cloud.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack.system import FIGURES, OWN, ROOT, System, eventually
from tests.stack.toolkit import Toolkit
from tools.balena.dialect import DENIED
from tools.balena.layout import devices, lay_out

pytestmark = pytest.mark.stack
NAME = "robots.test"
#: Of the board, at balena.
UUID = "cb6f09d18ab4c08556f54a5bd7cfd353"
#: What the supervisor adds to each service: its folder of locks, twice, and variables. And this test's own network and patience.
SUPERVISOR = """
services:
  SERVICE:
    image: IMAGE
    build: !reset null
    extra_hosts: ["NAME:host-gateway"]
    volumes: ["LOCKS:/tmp/balena", "LOCKS:/tmp/resin"]
    env_file: variables
    healthcheck: { interval: 2s, start_period: PATIENCE }
"""


@pytest.fixture(scope="module")
def toolkit() -> Toolkit:
    return Toolkit()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("build") / "balena")


def test_make_lays_out_the_tree_and_its_archive() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.balena.layout"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "balena push" in done.stdout
    assert (ROOT / "build" / "balena" / "docker-compose.yml").is_file()


def test_both_parsers_take_every_tree_and_ask_no_newer_supervisor_for_it(toolkit: Toolkit, tree: Path, tmp_path: Path) -> None:
    trees = [
        tree,
        lay_out(tmp_path / "devices", devices("/dev/ttyUSB0,/dev/i2c-1"), ["serial"]),
        lay_out(tmp_path / "alone", simulator=False),
    ]
    for answer in toolkit.parse(*(folder / "docker-compose.yml" for folder in trees))["answers"]:
        assert (answer["old"], answer["new"]) == (None, None)
        assert all(contract is None for contract in answer["contracts"]), answer["contracts"]


def test_our_lists_are_the_parsers_own(toolkit: Toolkit, tree: Path) -> None:
    said = toolkit.parse(tree / "docker-compose.yml")
    for table in ("service", "build", "network", "volume"):
        assert set(said["denied"][table]) <= set(DENIED[table]["compose-parser"]), table
    assert set(said["denied"]["service"]) == set(DENIED["service"]["compose-parser"])
    assert set(said["denied"]["build"]) == set(DENIED["build"]["compose-parser"])
    assert set(said["denied"]["fresh"]) == set(DENIED["service"]["new"])
    schema = said["schema"]
    service = set(schema["definitions"]["service"]["properties"])
    # In the schema, and refused all the same.
    assert service & set(DENIED["service"]["compose"]) == {"scale"}
    assert set(DENIED["allowed"]["service"]) <= service
    (build,) = (form["properties"] for form in schema["definitions"]["service"]["properties"]["build"]["oneOf"] if "properties" in form)
    assert set(build) & set(DENIED["build"]["compose"]) == {"isolation"}
    assert not set(schema["properties"]) & set(DENIED["top"]["compose"])


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("cpus", 0.5, "additional properties", None),
        ("profiles", ["sim"], "additional properties", None),
        ("pull_policy", "never", "additional properties", "service.pull_policy is not allowed"),
        ("logging", {"driver": "none"}, None, "service.logging is not allowed"),
        ("platform", "linux/arm64", None, "service.platform is not allowed"),
        ("volumes", ["./here:/there"], "Bind mounts are not allowed", 'cannot be of type "bind"'),
        ("tmpfs", ["/tmp:mode=1777"], None, None),
    ],
)
def test_what_we_refuse_trips_a_parser_or_only_the_device(
    toolkit: Toolkit, tree: Path, tmp_path: Path, key: str, value: object, old: str | None, new: str | None
) -> None:
    whole = yaml.safe_load((tree / "docker-compose.yml").read_text())
    whole["services"]["agent"][key] = value
    (tmp_path / "docker-compose.yml").write_text(yaml.safe_dump(whole))
    (answer,) = toolkit.parse(tmp_path / "docker-compose.yml")["answers"]
    for wanted, said in ((old, answer["old"]), (new, answer["new"])):
        assert (said is None) if wanted is None else (wanted in str(said)), answer


@pytest.fixture(scope="module")
def cloud(images: None) -> Iterator[System]:
    with System(f"{OWN}-balena-site", ["docker-compose.yml"], CROODY_DOMAIN=NAME, ROBOTS="1") as system:
        system.environ["CROODY_PUBLIC_URL"] = f"https://{NAME}:{system.https}"
        system.environ["ALLOWED_HOSTS"] = f"localhost,127.0.0.1,{NAME}"
        system.up()
        yield system


def built(toolkit: Toolkit, tree: Path, architecture: str, device: str, base: str = "") -> dict[str, str]:
    """Service -> its image."""
    said = toolkit.build(tree, architecture, device, base)
    assert said["errors"] == []
    assert [image["error"] for image in said["images"]] == [None, None]
    for contract in said["contracts"].values():
        assert {"type": "sw.supervisor", "version": ">=14.10.11"} in contract["requires"]
    return {image["service"]: image["image"] for image in said["images"]}


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


@pytest.fixture(scope="module")
def amd64(toolkit: Toolkit, tree: Path) -> Iterator[dict[str, str]]:
    images = built(toolkit, tree, "amd64", "generic-amd64")
    yield images
    if not os.environ.get("CROODY_STACK_KEEP"):
        subprocess.run(["docker", "rmi", "-f", *set(images.values())], capture_output=True, check=False)


def variables(cloud: System, robot_id: str) -> dict[str, str]:
    """What the how-to sets at balena for one board."""
    printed = cloud.croody("robot", "add", robot_id, "--shared")
    return {
        "ROBOT_ID": robot_id,
        "ROBOT_SECRET": printed.split()[1],
        "CROODY_BROKER_URL": f"mqtts://{NAME}:{cloud.mqtts}",
        "CROODY_CA_PEM": cloud.authority().strip().replace("\n", "\\n"),
    }


def board(folder: Path, tree: Path, image: str, service: str, variables: dict[str, str], patience_s: int = 30) -> System:
    """A board of balena's with one service of the release on it; the others are left out, for time."""
    whole = yaml.safe_load((tree / "docker-compose.yml").read_text())
    whole["services"] = {service: whole["services"][service]}
    (folder / "docker-compose.yml").write_text(yaml.safe_dump(whole))
    text = SUPERVISOR.replace("SERVICE", service).replace("IMAGE", image).replace("LOCKS", str(folder / "locks"))
    (folder / "supervisor.yml").write_text(text.replace("NAME", NAME).replace("PATIENCE", f"{patience_s}s"))
    own = {"BALENA": "1", "BALENA_DEVICE_UUID": UUID, "USER": "root"}
    (folder / "variables").write_text("".join(f"{name}={value}\n" for name, value in {**own, **variables}.items()))
    return System(f"{OWN}-{folder.name.strip('-').lower()}", ["docker-compose.yml", "supervisor.yml"], folder)


def last(cloud: System, robot_id: str) -> dict[str, Any]:
    answer = cloud.get(f"/api/telemetry/last?robot_id={robot_id}")
    return dict(answer.json["data"]) if answer.status == 200 else {}


def reboot_waits(lock: Path) -> bool:
    """As the host's script asks, of each lock file that there is."""
    # By a descriptor: with fs.protected_regular even root may not open another's file with O_CREAT in a folder like /tmp, as flock(1) does.
    asking = ["sh", "-c", 'exec 9<"$1" && flock -nx 9', "sh", str(lock)]
    return lock.exists() and subprocess.run(asking, check=False).returncode != 0


def test_the_agent_publishes_without_a_right_and_holds_updates_back_while_its_robot_is_busy(
    cloud: System, toolkit: Toolkit, tree: Path, amd64: dict[str, str], tmp_path: Path
) -> None:
    given = variables(cloud, "placa-01") | {"CROODY_SOURCE": "sim", "CROODY_BUSY_WHEN": "battery_pct>0"}
    with board(tmp_path, tree, amd64["agent"], "agent", given) as device:
        device.up()
        eventually("a reading of the board", lambda: "battery_pct" in last(cloud, "placa-01"), 30)

        status = device.inside("agent", "cat", "/proc/1/status").splitlines()
        fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
        assert fields["Uid"].split() == ["10001"] * 4
        assert (int(fields["CapEff"], 16), int(fields["CapPrm"], 16), fields["NoNewPrivs"]) == (0, 0, "1")

        lock = tmp_path / "locks" / "updates.lock"
        eventually("the lock", lock.exists, 20)
        assert lock.stat().st_uid == 10001
        assert toolkit.ask("lock.js", str(lock)) == "EEXIST"
        assert reboot_waits(lock)

        run("docker", "kill", "-s", "KILL", device.container("agent"))
        assert not reboot_waits(lock)
        run("docker", "start", device.container("agent"))
        eventually("the lock again", lambda: reboot_waits(lock), 30)
        assert "was left by a run that died" in run("docker", "logs", device.container("agent")) + device.compose("logs", "agent")

        device.compose("stop")
        assert device.inspect("agent")["State"]["ExitCode"] == 0
        assert toolkit.ask("lock.js", str(lock)) == "got"
    FIGURES.append(f"balena: agent's image {int(run('docker', 'image', 'inspect', '-f', '{{.Size}}', amd64['agent'])) / 1e6:.0f} MB")


def test_boards_of_a_fleet_come_in_by_one_variable_of_the_fleet(cloud: System, tree: Path, amd64: dict[str, str], tmp_path: Path) -> None:
    line = cloud.croody("robot", "claim", "--group", "line-a", "--serials", "*", "--most", "2", "--line").strip()
    given = {"CROODY_CLAIM": line, "CROODY_SOURCE": "sim"}
    with board(tmp_path, tree, amd64["agent"], "agent", given) as device:
        device.up()
        robot_id = f"line-a-{UUID[:12]}"
        # Of its organisation alone, until somebody shares it; here whoever asks belongs to none.
        cloud.croody("robot", "share", robot_id)
        eventually("a reading of the board", lambda: "battery_pct" in last(cloud, robot_id), 30)

        device.compose("up", "-d", "--wait", "--force-recreate")
        streams = f"/api/telemetry/streams?robot_id={robot_id}"
        eventually("a second stream: it stayed who it is", lambda: len(cloud.get(streams).json) == 2, 30)
        status = json.loads(device.inside("agent", "python", "-m", "croody_edge.balena", "status", "--json"))
        assert (status["robot_id"], status["link"]) == (robot_id, "connected")


def test_a_lock_of_the_supervisors_is_left_alone_and_costs_no_reading(
    cloud: System, tree: Path, amd64: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "locks").mkdir()
    lock = tmp_path / "locks" / "updates.lock"
    lock.touch()
    if os.geteuid() == 0:
        os.chown(lock, 65534, 65534)
    given = variables(cloud, "placa-02") | {"CROODY_SOURCE": "sim", "CROODY_BUSY_WHEN": "battery_pct>0"}
    with board(tmp_path, tree, amd64["agent"], "agent", given) as device:
        device.up()
        eventually("a reading of the board", lambda: "battery_pct" in last(cloud, "placa-02"), 30)
        assert lock.exists()
        assert "somebody else holds it" in device.compose("logs", "agent")


def test_the_simulator_sleeps_until_a_variable_names_robots(cloud: System, tree: Path, amd64: dict[str, str], tmp_path: Path) -> None:
    given = variables(cloud, "virtual-01")
    with board(tmp_path, tree, amd64["simulator"], "simulator", {}) as device:
        device.up()
        assert device.inside("simulator", "cat", "/proc/1/comm").strip() == "sh"
        device.compose("stop", "-t", "15")
        assert device.inspect("simulator")["State"]["ExitCode"] in (0, 143)

        named = {
            "CROODY_SIMULATOR": f"virtual-01 {given['ROBOT_SECRET']}",
            **{name: given[name] for name in ("CROODY_BROKER_URL", "CROODY_CA_PEM")},
        }
        (tmp_path / "variables").write_text("".join(f"{name}={value}\n" for name, value in named.items()))
        device.up()
        eventually("a reading of the virtual robot", lambda: "battery_pct" in last(cloud, "virtual-01"), 40)
        assert device.inside("simulator", "id", "-u").strip() == "0", "whoever enters by exec is root; what runs is not"
        assert "10001" in device.inside("simulator", "sh", "-c", "grep Uid /proc/1/status")


@pytest.mark.skipif(not os.environ.get("CROODY_STACK_ARM64"), reason="emulation takes minutes: CROODY_STACK_ARM64=1 asks for it")
@pytest.mark.timeout(1800)
def test_an_agent_for_a_board_of_64_bit_arm_publishes_too(cloud: System, toolkit: Toolkit, tree: Path, tmp_path: Path) -> None:
    images = built(toolkit, tree, "aarch64", "raspberrypi4-64", "arm64v8/python:3.11-slim-bookworm")
    assert run("docker", "image", "inspect", "-f", "{{.Architecture}}", images["agent"]) == "arm64"
    given = variables(cloud, "placa-arm") | {"CROODY_SOURCE": "sim"}
    try:
        with board(tmp_path, tree, images["agent"], "agent", given, patience_s=120) as device:
            device.up()
            assert device.inside("agent", "uname", "-m").strip() == "aarch64"
            eventually(
                "a reading that the model on the board has scored", lambda: "screen_score" in last(cloud, "placa-arm"), 120, every_s=1
            )
    finally:
        subprocess.run(["docker", "rmi", "-f", *set(images.values())], capture_output=True, check=False)
