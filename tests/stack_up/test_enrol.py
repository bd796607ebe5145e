"""A board enrols by a claim and is heard: the command, the server and the broker as they run, with nothing between them left out."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.edge_agent.link.lines import TlsDoor
from tests.edge_agent.link.test_proxy import ProxyServer
from tools.stack import Options, Ports, Stack, source_path

pytestmark = pytest.mark.slow
PROGRAM = str(Path(sys.executable).with_name("croody-edge"))
PROXY_LOGIN = "alice:p%40ss:word"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All that stands between a robot and its reading on a page."""
    hosts = {"ALLOWED_HOSTS": "localhost,127.0.0.1,robots.test"}
    options = Options(state=tmp_path_factory.mktemp("enrol"), ports=Ports.free(), robots=0, host=False, replay=False, environ=hosts)
    with Stack(options) as running:
        running.prepare()
        running.start("broker", "telemetry", "web", "worker", *options.bridge_names)
        yield running


@pytest.fixture
def boards() -> Iterator[list[subprocess.Popen[str]]]:
    """Agents that run; ended after the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for board in started:
        end(board)


def environ(folder: Path, **more: str) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": source_path(), "LANG": "C.UTF-8", "CROODY_EDGE_DIR": str(folder)}
    return kept | {"CROODY_SCREEN": "0", "CROODY_INTERVAL_S": "0.5"} | more


def start(boards: list[subprocess.Popen[str]], *arguments: str, **variables: str) -> subprocess.Popen[str]:
    board = subprocess.Popen([PROGRAM, *arguments], env=variables, stderr=subprocess.PIPE, text=True)
    boards.append(board)
    return board


def end(board: subprocess.Popen[str]) -> None:
    """As a power cut does."""
    board.kill()
    board.wait()
    if board.stderr is not None:
        board.stderr.close()


def enrol_only(folder: Path, line: str, *more: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, "enrol", line, "--only", *more]
    return subprocess.run(command, env=environ(folder, **variables), capture_output=True, text=True, timeout=90, check=False)


def claim(stack: Stack, robot_id: str) -> str:
    return stack.manage("robot", "claim", robot_id, "--add", "--line").strip()


def heard(stack: Stack, robot_id: str) -> int:
    """How many of its records are stored."""
    with urllib.request.urlopen(f"{stack.telemetry_url}/api/telemetry/streams?robot_id={robot_id}", timeout=20) as reply:
        return sum(int(stream["stored"]) for stream in json.load(reply))


def eventually(holds: Callable[[], Any], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.2)


def identity(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "identity.json").read_text()))


def test_one_line_makes_a_board_a_robot_and_it_stays_one(stack: Stack, boards: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    folder, line = tmp_path / "edge", claim(stack, "fresh-1")
    first = start(boards, "enrol", line, **environ(folder))
    eventually(lambda: heard(stack, "fresh-1") > 3)
    assert (folder / "identity.json").stat().st_mode & 0o777 == 0o600
    end(first)
    # The claim may stay in the board's settings; it is used no second time.
    before = heard(stack, "fresh-1")
    start(boards, "run", **environ(folder, CROODY_CLAIM=line))
    eventually(lambda: heard(stack, "fresh-1") > before + 3)
    assert identity(folder)["robot_id"] == "fresh-1"


def test_a_claim_in_the_settings_enrols_at_the_first_start(stack: Stack, boards: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    start(boards, "run", **environ(tmp_path / "edge", CROODY_CLAIM=claim(stack, "fresh-2")))
    eventually(lambda: heard(stack, "fresh-2") > 3)


def test_a_second_board_with_the_claim_stays_out_and_somebody_is_told(stack: Stack, tmp_path: Path) -> None:
    line = claim(stack, "fresh-3")
    assert enrol_only(tmp_path / "one", line).returncode == 0
    # The very same board again: nothing happens.
    assert enrol_only(tmp_path / "one", line).returncode == 0
    copy = enrol_only(tmp_path / "two", line)
    assert (copy.returncode, "another board has come in" in copy.stderr) == (78, True)
    assert not (tmp_path / "two" / "identity.json").exists()
    assert "claim_used_again" in stack.manage("alarms", "list")


def test_a_copied_disk_is_an_alarm(stack: Stack, boards: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    assert enrol_only(tmp_path / "one", claim(stack, "fresh-4")).returncode == 0
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for name in ("one", "two"):
        start(boards, "run", **environ(tmp_path / name, CROODY_PRESENCE_S="1"))
    eventually(lambda: any("fresh-4" in row and "credential_copied" in row for row in stack.manage("alarms", "list").splitlines()))


def test_a_board_changes_its_secret_by_itself_also_when_it_is_killed_meanwhile(
    stack: Stack, boards: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "edge"
    start(boards, "enrol", claim(stack, "turn-1"), **environ(folder))
    eventually(lambda: heard(stack, "turn-1") > 3)
    first = str(identity(folder)["secret"])
    assert "turn-1: " in stack.manage("robot", "rotate", "turn-1", "--on-robot")
    second = str(identity(folder)["secret"])
    assert second != first
    assert (status_with(stack, first), status_with(stack, second)) == (401, 201)
    # Once more, and this time the power goes as soon as the new one lies on the disk.
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(stack.manage, "robot", "rotate", "turn-1", "--on-robot")
        eventually(lambda: identity(folder)["next"]["secret"] != second)
        end(boards[-1])
        start(boards, "run", **environ(folder))
        assert "turn-1: " in asking.result(timeout=120)
    third = str(identity(folder)["secret"])
    assert [status_with(stack, one) for one in (first, second, third)] == [401, 401, 201]
    before = heard(stack, "turn-1")
    eventually(lambda: heard(stack, "turn-1") > before + 3)
    assert "turn-1" not in stack.manage("alarms", "list")


def status_with(stack: Stack, secret: str) -> int:
    """What the HTTP API says to a reading that comes with this secret."""
    body, headers = b'{"robot_id": "turn-1", "data": {"TEMP": 1.0}}', {"Content-Type": "application/json", "X-API-Key": secret}
    try:
        request = urllib.request.Request(f"{stack.telemetry_url}/api/telemetry/ingest", body, headers)
        with urllib.request.urlopen(request, timeout=20) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_line_of_boards_enrols_by_itself_up_to_its_limit(stack: Stack, tmp_path: Path) -> None:
    line = stack.manage("robot", "claim", "--group", "line", "--serials", "RV-##", "--most", "2", "--line").strip()
    for number in ("01", "02"):
        done = enrol_only(tmp_path / number, line, "--serial", f"RV-{number}")
        assert done.returncode == 0, done.stderr
        assert identity(tmp_path / number)["robot_id"] == f"line-RV-{number}"
    assert "make a new one for the rest" in enrol_only(tmp_path / "03", line, CROODY_SERIAL="RV-03").stderr
    assert "serials of another form" in enrol_only(tmp_path / "04", line, "--serial", "other").stderr


@pytest.mark.parametrize("by_proxy", [False, True])
def test_a_private_authority_is_known_by_its_fingerprint_also_through_a_proxy(stack: Stack, tmp_path: Path, by_proxy: bool) -> None:
    from croody.operations import certificate
    from croody_contract import claims
    from croody_edge.link.address import BrokerAddress

    (tmp_path / "tls").mkdir()
    (tmp_path / "authority").mkdir()
    name = "robots.test" if by_proxy else "127.0.0.1"
    certificate.ensure(tmp_path / "tls", tmp_path / "authority", [name])
    pair = (tmp_path / "tls" / certificate.CHAIN, tmp_path / "tls" / certificate.KEY)
    door = TlsDoor(BrokerAddress("127.0.0.1", stack.options.ports.web), pair)
    proxy = ProxyServer()
    try:
        robot_id = f"private-{int(by_proxy)}"
        plain = claims.read(claim(stack, robot_id))
        authority = (tmp_path / "authority" / certificate.AUTHORITY).read_text()
        fingerprint = know(stack, robot_id, tmp_path / "authority" / certificate.AUTHORITY)
        line = str(claims.Claim(f"https://{name}:{door.address.port}", robot_id, token=plain.token, fingerprint=fingerprint))
        ways = {"HTTPS_PROXY": f"http://{PROXY_LOGIN}@127.0.0.1:{proxy.port}"} if by_proxy else {}
        other = str(claims.Claim(f"https://{name}:{door.address.port}", robot_id, token=plain.token))
        # Without the fingerprint nothing is sent to whom nobody knows.
        assert "does not know who signed" in enrol_in_short(tmp_path / "edge", other, ways)
        done = enrol_only(tmp_path / "edge", line, **ways)
        assert done.returncode == 0, done.stderr
        kept = tmp_path / "edge" / identity(tmp_path / "edge")["authority"]
        assert kept.read_text().split() == authority.split()
        assert any(one.startswith("CONNECT robots.test") for one in proxy.asked) == by_proxy
    finally:
        door.close()
        proxy.close()


def enrol_in_short(folder: Path, line: str, variables: dict[str, str]) -> str:
    """What it says first; it would try on for a minute."""
    board = subprocess.Popen([PROGRAM, "enrol", line, "--only"], env=environ(folder, **variables), stderr=subprocess.PIPE, text=True)
    assert board.stderr is not None
    try:
        return board.stderr.readline()
    finally:
        end(board)


def know(stack: Stack, robot_id: str, authority: Path) -> str:
    """What a site with TLS does by itself when it makes a claim."""
    code = (
        "from pathlib import Path; from croody.fleet.models import Claim; from croody.fleet.trust_anchor import der_of; "
        f"from croody_contract.claims import fingerprint_of; pem = Path({str(authority)!r}).read_text(); "
        f"Claim.objects.filter(robot={robot_id!r}).update(authority=pem, fingerprint=fingerprint_of(der_of(pem))); "
        "print(fingerprint_of(der_of(pem)))"
    )
    return stack.manage("shell", "-c", code).split()[-1]
