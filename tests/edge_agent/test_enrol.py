"""Coming in by a claim: killed anywhere one secret remains, only our own server is believed, and what is wrong has its remedy."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from croody_contract.claims import Claim, Exchange, hashes_of
from croody_edge import enrol, identity
from croody_edge.enrol import NotEnrolled
from croody_edge.link.proxy import STRAIGHT
from croody_edge.settings import from_environment
from croody_edge.variables import BadSetting
from tests.edge_agent.doubles import wait_until

TOKEN = "k3J9w2Qd7Xn5Rb8Tz1Lm4Vc6"


class Site:
    """A server that knows one claim, answers when it is let, and remembers by which hash a board came in."""

    def __init__(self) -> None:
        self.came: list[Exchange] = []
        self.known = ""
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.instead: tuple[int, bytes] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said = outer.instead or outer.judge(msgspec.json.decode(body, type=Exchange))
                outer.may_answer.wait(20)
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *args: object) -> None:
                """Boards that are killed hang up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.claim = Claim(f"http://127.0.0.1:{self._server.server_port}", "rover-1", token=TOKEN)

    def judge(self, asked: Exchange) -> tuple[int, bytes]:
        self.came.append(asked)
        if self.known and self.known != asked.hashes.sha256:
            return 409, b'{"code": "claim_used", "detail": "another board"}'
        self.known = asked.hashes.sha256
        return 200, b'{"robot_id": "rover-1", "brokers": ["mqtt://127.0.0.1:1"]}'

    def close(self) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def come(site: Site, folder: Path) -> identity.Identity:
    return enrol.enrol(site.claim, folder, STRAIGHT)


def start(site: Site, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from croody_edge.cli import main; main()", "enrol", str(site.claim), "--only", "--dir", str(folder)]
    env = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)


def secrets_in(folder: Path) -> set[str]:
    return {hashes_of(one.secret).sha256 for one in [identity.read(folder), identity.pending(folder, site_claim())] if one is not None}


def site_claim() -> str:
    return Claim("http://127.0.0.1", "rover-1", token=TOKEN).token_sha256


def test_killed_before_and_after_the_server_knows_it_and_one_secret_remains(site: Site, tmp_path: Path) -> None:
    for _ in range(3):
        site.may_answer.clear()
        before = len(site.came)
        board = start(site, tmp_path)
        assert wait_until(lambda before=before: len(site.came) > before)  # type: ignore[misc]
        board.kill()
        board.wait()
        site.may_answer.set()
        # The server knows a secret whose answer nobody heard: it lies on the disk.
        assert site.known in secrets_in(tmp_path)
    assert start(site, tmp_path).wait(30) == 0
    assert {one.hashes.sha256 for one in site.came} == {site.known}
    mine = identity.read(tmp_path)
    assert mine is not None
    assert hashes_of(mine.secret).sha256 == site.known
    assert identity.pending(tmp_path, site_claim()) is None


def test_killed_before_it_asks_or_after_it_has_written_changes_nothing(site: Site, tmp_path: Path) -> None:
    identity.remember(tmp_path, identity.Pending(site_claim(), "made before"))
    mine = come(site, tmp_path)
    assert mine.secret == "made before"
    # The power went between the two writes of the end.
    identity.remember(tmp_path, identity.Pending(site_claim(), "made before"))
    assert come(site, tmp_path) == mine
    assert len(site.came) == 1


def test_half_a_file_of_a_start_before_is_in_nobodys_way(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".identity.json.new").write_text("{")
    (tmp_path / ".enrolling.json.new").write_text("{")
    assert come(site, tmp_path).robot_id == "rover-1"
    assert {path.name for path in tmp_path.iterdir()} == {"identity.json"}
    assert (tmp_path / "identity.json").stat().st_mode & 0o777 == 0o600


def test_a_board_that_comes_anew_is_who_it_was_until_it_has_an_answer(site: Site, tmp_path: Path) -> None:
    before = identity.write(tmp_path, identity.Identity("rover-0", "old", "c" * 64, ["mqtt://127.0.0.1:1"]), "a certificate")
    site.known = "somebody else's"
    with pytest.raises(NotEnrolled, match="another board"):
        come(site, tmp_path)
    assert identity.read(tmp_path) == before
    assert (tmp_path / before.authority).read_text() == "a certificate"
    site.known = ""
    assert come(site, tmp_path).robot_id == "rover-1"
    assert not list(tmp_path.glob("authority-*"))


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>Wi-Fi: accept the terms</html>"), (403, b"blocked"), (503, b'{"detail": "away"}'), (200, b"{}"), (429, b'{"code":"x"}'),
     (200, b"\xff"), (500, b""), (302, b""), (200, b"[" * 9000), (200, b'{"robot_id": "a", "brokers": ["gopher://x"]}')],
)  # fmt: skip
def test_what_is_not_our_servers_word_is_tried_again(site: Site, tmp_path: Path, status: int, body: bytes) -> None:
    site.instead = status, body
    with pytest.raises(NotEnrolled) as refused:
        come(site, tmp_path)
    assert refused.value.late
    assert identity.read(tmp_path) is None
    site.instead = None
    assert come(site, tmp_path).robot_id == "rover-1"


@pytest.mark.parametrize("code", ["claim_unknown", "claim_expired", "claim_revoked", "claim_foreign", "bad_value", "newer"])
def test_a_refusal_is_final_and_says_what_to_do(site: Site, tmp_path: Path, code: str) -> None:
    site.instead = 409, json.dumps({"code": code, "detail": "in the server's words"}).encode()
    with pytest.raises(NotEnrolled) as refused:
        come(site, tmp_path)
    assert not refused.value.late
    assert ("server's words" in str(refused.value)) == (not code.startswith("claim_"))


def test_it_waits_for_its_network_and_gives_up_when_it_was_told_to(site: Site, tmp_path: Path) -> None:
    now, waits = [0.0], list[float]()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds
        if len(waits) == 4:
            site.instead = None

    site.instead = 503, b""
    options: dict[str, Any] = {"wait": wait, "monotonic": lambda: now[0]}
    assert enrol.enrol_in_time(site.claim, tmp_path / "one", STRAIGHT, for_s=60, **options).robot_id == "rover-1"
    # At last until the broker knows the secret, too: whoever came in is not told at once that it was refused.
    assert waits == [1, 2, 4, 8, 2]
    assert enrol.enrol_in_time(site.claim, tmp_path / "one", STRAIGHT, for_s=60, **options).robot_id == "rover-1"
    assert waits == [1, 2, 4, 8, 2]
    site.instead = 503, b""
    with pytest.raises(NotEnrolled):
        enrol.enrol_in_time(site.claim, tmp_path / "two", STRAIGHT, for_s=5, **options)


def test_errors_of_the_way_name_it(tmp_path: Path) -> None:
    nobody = Claim("http://127.0.0.1:9", "rover-1", token=TOKEN)
    with pytest.raises(NotEnrolled, match="nobody listens"):
        enrol.enrol(nobody, tmp_path, STRAIGHT)
    unknown = Claim("https://nobody.invalid", "rover-1", token=TOKEN)
    with pytest.raises(NotEnrolled, match="nobody knows the name"):
        enrol.enrol(unknown, tmp_path, STRAIGHT)
    with pytest.raises(NotEnrolled, match="--serial"):
        enrol.enrol(Claim("https://nobody.invalid", group="line", token=TOKEN), tmp_path, STRAIGHT)
    with pytest.raises(BadSetting, match="whole line"):
        enrol.read_claim("croody+https://x/rover-1/short")


def test_a_serial_is_what_somebody_says_or_what_the_board_has(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\0")
    (tmp_path / "serial").write_text("10000000abcdef\0")
    files = (tmp_path / "none", tmp_path / "empty", tmp_path / "serial")
    assert enrol.serial_of({}, files=files) == "10000000abcdef"
    assert enrol.serial_of({"CROODY_SERIAL": "RV-01"}, files=files) == "RV-01"
    assert enrol.serial_of({"CROODY_SERIAL": "RV-01"}, "RV-02", files=files) == "RV-02"
    assert enrol.serial_of({}, files=files[:2]) == ""


def test_settings_are_those_of_the_board_that_came_in(tmp_path: Path) -> None:
    told = {"CROODY_EDGE_DIR": str(tmp_path)}
    mine = identity.Identity("rover-1", "its own", "c" * 64, ["mqtts://a.test:8883", "wss://a.test/mqtt"])
    mine = identity.write(tmp_path, mine, "a certificate")
    found = from_environment(told)
    assert (found.robot_id, found.secret, [str(one) for one in found.brokers]) == ("rover-1", "its own", mine.brokers)
    assert found.ca_file == tmp_path / mine.authority
    assert from_environment(told | {"CROODY_BROKER_URL": "mqtt://b.test:1883"}).brokers[0].host == "b.test"
    # A secret that somebody gives counts, as before.
    assert from_environment(told | {"ROBOT_ID": "rover-2", "ROBOT_SECRET": "given"}).secret == "given"
    # Over HTTP, too, unless a key is given for it.
    by_http = told | {"TELEMETRY_INGEST_URL": "https://a.test/api/telemetry/ingest"}
    assert (from_environment(by_http).robot_id, from_environment(by_http).secret) == ("rover-1", "its own")
    assert from_environment(by_http | {"ROBOT_ID": "rover-2", "TG_INGEST_TOKEN": "shared"}).secret == ""
    with pytest.raises(BadSetting, match="enrolled as rover-1"):
        from_environment(told | {"ROBOT_ID": "rover-2"})
    (tmp_path / "identity.json").write_text("{")
    with pytest.raises(BadSetting, match="delete it"):
        from_environment(told)
