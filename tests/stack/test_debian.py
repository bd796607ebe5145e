"""The agent as a Debian package, on a Debian whose first process is systemd: installed, watched, killed, removed and purged."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack.system import OWN
from tools.deb import build

pytestmark = pytest.mark.stack
BOARD = Path(__file__).with_name("debian")
NAME = f"{OWN}-debian"
SETTINGS = "ROBOT_ID=taller-01\nROBOT_SECRET=secret-of-the-robot\nCROODY_BROKER_URL=mqtt://127.0.0.1:1883\n"


def run(*command: str, check: bool = True, **more: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=more.get("input"), timeout=600)
    assert not (check and done.returncode), f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def on_board(script: str, **more: str) -> str:
    return run("docker", "exec", "-i", "-e", "DEBIAN_FRONTEND=noninteractive", NAME, "sh", "-c", script, check=False, **more)


def eventually(true: Callable[[], object], within_s: float = 60.0) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.5)
    return bool(true())


def shown(name: str) -> str:
    return on_board(f"systemctl show croody-edge -p {name} --value").strip()


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    made = build("amd64", tmp_path_factory.mktemp("dist"))
    run("docker", "build", "-q", "-t", NAME, str(BOARD))
    machine = ["--privileged", "--cgroupns=host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs", "/run", "--tmpfs", "/run/lock"]
    run("docker", "run", "-d", "--name", NAME, *machine, NAME)
    try:
        if not eventually(lambda: "running" in on_board("systemctl is-system-running"), 30):
            pytest.skip("systemd does not run in a container here")
        run("docker", "cp", str(made), f"{NAME}:/tmp/croody-edge.deb")
        on_board("mosquitto -d -c /etc/mosquitto/board/mosquitto.conf")
        yield
    finally:
        run("docker", "rm", "-f", "-v", NAME, check=False)
        run("docker", "rmi", "-f", NAME, check=False)


def test_it_is_installed_says_what_comes_next_and_publishes_when_it_was_told_who_it_is(board: None) -> None:
    said = on_board("dpkg -i /tmp/croody-edge.deb")
    assert "croody robot claim ID" in said
    assert shown("ActiveState") == "inactive"
    assert on_board("stat -c '%U %a' /etc/croody-edge/croody-edge.env").strip() == "root 600"
    assert "ROBOT_ID is missing" in on_board("croody-edge doctor")
    on_board("cat >> /etc/croody-edge/croody-edge.env && systemctl start croody-edge", input=SETTINGS)
    assert eventually(lambda: shown("StatusText") == "connected")
    seen = on_board("mosquitto_sub -u bridge -P secret-of-the-bridge -t 'croody/v1/taller-01/up/batch/#' -C 1 -W 20")
    assert '"kind":"reading"' in seen
    assert "all is well" in on_board("croody-edge doctor")
    assert "all is well" not in on_board("CROODY_BROKER_URL=mqtt://127.0.0.1:9 croody-edge doctor")


def test_it_runs_as_nobody_and_can_write_nowhere_else(board: None) -> None:
    # systemd's range for accounts that live as long as a service.
    assert 61184 <= int(on_board("ps -o uid= -p $(systemctl show croody-edge -p MainPID --value)")) <= 65519
    score = on_board("systemd-analyze security croody-edge --no-pager | tail -1")
    assert float(score.rpartition(": ")[2].split()[0]) < 2.0, score
    assert on_board("systemd-analyze verify croody-edge.service") == ""
    assert "secret-of-the-robot" not in on_board(
        "journalctl -u croody-edge; systemctl status croody-edge; croody-edge bundle --out - | zcat"
    )


def test_what_is_killed_or_stands_still_comes_back(board: None) -> None:
    on_board("mkdir -p /run/systemd/system/croody-edge.service.d")
    on_board("cat > /run/systemd/system/croody-edge.service.d/impatient.conf", input="[Service]\nWatchdogSec=9s\nRestartSec=1s\n")
    on_board("systemctl daemon-reload && systemctl restart croody-edge")
    assert eventually(lambda: shown("StatusText") == "connected")
    on_board("kill -9 $(systemctl show croody-edge -p MainPID --value)")
    assert eventually(lambda: shown("NRestarts") == "1" and shown("StatusText") == "connected")
    # A broker that hangs is no reason to begin anew: tries to reach one are a sign of life.
    on_board("pkill -STOP -x mosquitto")
    assert eventually(lambda: shown("StatusText") not in ("", "connected"))
    time.sleep(20)
    assert (shown("NRestarts"), shown("ActiveState")) == ("1", "active")
    on_board("pkill -CONT -x mosquitto")
    assert eventually(lambda: shown("StatusText") == "connected")
    on_board("kill -STOP $(systemctl show croody-edge -p MainPID --value)")
    assert eventually(lambda: shown("NRestarts") == "2" and shown("StatusText") == "connected")
    assert "Watchdog timeout" in on_board("journalctl -u croody-edge -o cat")


def test_settings_that_cannot_be_are_not_tried_for_ever(board: None) -> None:
    on_board("sed -i 's/^ROBOT_ID=.*/ROBOT_ID=x/' /etc/croody-edge/croody-edge.env; systemctl restart croody-edge")
    assert eventually(lambda: shown("ActiveState") == "failed")
    assert "ROBOT_ID is 'x'" in on_board("journalctl -u croody-edge -o cat -n 20")
    time.sleep(4)
    assert shown("ActiveState") == "failed"
    on_board("sed -i 's/^ROBOT_ID=.*/ROBOT_ID=taller-01/' /etc/croody-edge/croody-edge.env; systemctl restart croody-edge")
    assert eventually(lambda: shown("StatusText") == "connected")


def test_it_enrols_and_changes_its_secret_within_what_the_service_may_write(board: None) -> None:
    run("docker", "cp", str(BOARD / "site.py"), f"{NAME}:/tmp/site.py")
    # As a package that was just installed: no settings, and no folder yet.
    on_board("systemctl stop croody-edge; sed -i '/^ROBOT_/d; /^CROODY_BROKER_URL/d' /etc/croody-edge/croody-edge.env")
    on_board("rm -rf /var/lib/private/croody-edge /var/lib/croody-edge")
    run("docker", "exec", "-d", NAME, "python3", "/tmp/site.py", "serve")
    assert eventually(lambda: "8099" in on_board("cat /proc/net/tcp | awk '{print $2}' | grep -o ':1FA3' && echo 8099"))
    said = on_board("croody-edge enrol croody+http://127.0.0.1:8099/taller-02/k3J9w2Qd7Xn5Rb8Tz1Lm4Vc6")
    assert eventually(lambda: shown("StatusText") == "connected"), said
    kept = "/var/lib/private/croody-edge/identity.json"
    owner, mode = on_board(f"stat -c '%u %a' {kept}").split()
    assert (61184 <= int(owner) <= 65519, mode) == (True, "600")
    first = json.loads(on_board(f"cat {kept}"))["secret"]

    outgoing = {"id": 1, "kind": "rotate", "payload": {"rotation": "w2Qd7Xn5Rb8Tz1Lm"}, "expires_at": "2100-01-01T00:00:00Z"}
    command = f"python3 /tmp/site.py ask '{json.dumps(outgoing)}'"
    answer = json.loads(on_board(command))
    assert answer["state"] == "received", answer
    on_board(f"python3 /tmp/site.py line taller-02 '{answer['hashes']['mqtt_hash']}'")
    assert eventually(lambda: json.loads(on_board(f"cat {kept}"))["secret"] != first)
    assert json.loads(on_board(command))["state"] == "done"
    assert eventually(lambda: shown("StatusText") == "connected")
    seen = on_board("mosquitto_sub -u bridge -P secret-of-the-bridge -t 'croody/v1/taller-02/up/batch/#' -C 1 -W 20")
    assert '"kind":"reading"' in seen


def test_what_waits_survives_a_purge_unless_somebody_says_otherwise(board: None) -> None:
    on_board("dpkg -P croody-edge")
    assert "outbox.db" in on_board("ls /var/lib/private/croody-edge")
    assert "No such file" in on_board("ls /etc/croody-edge /usr/lib/croody-edge")
    on_board("dpkg -i /tmp/croody-edge.deb; echo 'croody-edge croody-edge/purge-state boolean true' | debconf-set-selections")
    on_board("dpkg -P croody-edge")
    assert on_board("ls -A /var/lib/private").strip() == ""
