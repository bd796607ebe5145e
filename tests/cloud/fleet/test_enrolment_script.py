"""A new robot's board: what is printed for it, run by a real shell, and the trust that it carries, against real TLS."""

import io
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from socket import create_server

import pytest
from django.conf import settings as live
from django.core.management import CommandError, call_command
from django.utils.translation import override

from croody.fleet import enrolment_script, trust_anchor
from croody.fleet.models import Robot
from croody.operations import certificate

URL = "mqtts://robots.example:8883"


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the certificate of `robots.example`, signed by the site's own authority."""
    for name in ("tls", "authority"):
        (tmp_path / name).mkdir()
    certificate.ensure(tmp_path / "tls", tmp_path / "authority", ["robots.example", "127.0.0.1"])
    return tmp_path / "tls"


@contextmanager
def serving(tls: Path) -> Iterator[int]:
    """A server that shakes hands and closes; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / certificate.CHAIN, tls / certificate.KEY)
    listener = create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain, suppress(OSError):
                context.wrap_socket(plain, server_side=True).close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(2)
        listener.close()
        thread.join()


def test_the_authority_that_a_board_needs_is_found_by_looking_and_was_tried(site: Path) -> None:
    with serving(site) as port:
        found = trust_anchor.find("127.0.0.1", port, "robots.example")

    assert found == trust_anchor.TrustAnchor((site / certificate.AUTHORITY).read_text())


def test_a_certificate_for_another_name_is_told(site: Path) -> None:
    with serving(site) as port:
        found = trust_anchor.find("127.0.0.1", port, "elsewhere.example")

    assert found.authority == (site / certificate.AUTHORITY).read_text()
    assert "elsewhere.example" in found.problem


def test_of_an_authority_that_does_not_show_itself_the_root_is_asked_for(site: Path) -> None:
    chain = (site / certificate.CHAIN).read_text()
    (site / certificate.CHAIN).write_text(chain[: chain.index("END CERTIFICATE-----") + len("END CERTIFICATE-----\n")])

    with serving(site) as port:
        found = trust_anchor.find("127.0.0.1", port, "robots.example")

    assert not found.authority
    assert "the root of who signed it" in found.problem


def test_a_broker_that_is_away_is_told(site: Path) -> None:
    with serving(site) as port:
        pass

    assert f"no broker at 127.0.0.1:{port}" in trust_anchor.find("127.0.0.1", port, "robots.example").problem


def test_a_certificate_that_every_machine_trusts_needs_no_authority(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(site / certificate.AUTHORITY))
    with serving(site) as port:
        assert trust_anchor.find("127.0.0.1", port, "robots.example") == trust_anchor.TrustAnchor()


class Board:
    """A folder, and a shell that pastes into it; `docker` says what it was told, and nothing else happens."""

    def __init__(self, folder: Path, shell: str) -> None:
        self.folder, self._shell, self._programs = folder / "board", shell, folder / "bin"
        self.folder.mkdir()
        self._programs.mkdir()
        (self._programs / "docker").write_text('#!/bin/sh\necho "docker $*"\n')
        (self._programs / "docker").chmod(0o755)

    def paste(self, lines: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": f"{self._programs}:/usr/bin:/bin"}
        given = f"umask 077\n{lines}"
        return subprocess.run([self._shell], input=given, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    def settings(self) -> list[str]:
        return (self.folder / ".env").read_text().splitlines()

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))


@pytest.fixture(params=["sh", "bash"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    return Board(tmp_path, request.param)


STARTED = "docker compose up -d --wait --force-recreate\n"


def test_the_lines_for_a_board_set_an_empty_folder_up(place: Board, site: Path) -> None:
    pem = (site / certificate.AUTHORITY).read_text()

    done = place.paste(enrolment_script.script("taller-01", "it's secret", URL, pem))

    assert (done.returncode, done.stdout, done.stderr) == (0, STARTED, "")
    secret = place.folder / "secrets" / "ROBOT_SECRET"
    assert secret.read_text() == "it's secret\n"
    assert secret.stat().st_mode & 0o777 == 0o644, "the agent's account must read it"
    assert (place.folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert (place.folder / "secrets" / "ca" / "ca.pem").read_text() == pem
    wanted = ["COMPOSE_FILE=docker-compose.edge.yml", f"CROODY_BROKER_URL={URL}", "ROBOT_ID=taller-01", "CROODY_CA_FILE=/ca/ca.pem"]
    assert place.settings() == wanted
    assert place.files() == [".env", "secrets", "secrets/ROBOT_SECRET", "secrets/ca", "secrets/ca/ca.pem"]


def test_pasted_again_they_change_their_own_lines_and_no_other(place: Board, site: Path) -> None:
    own = ["# a lathe", "CROODY_SOURCE=sim", "EDGE_DEVICE=/dev/ttyUSB0", "", "CROODY_VERSION=2026-11"]
    before = ["COMPOSE_FILE=docker-compose.edge.yml:second.yml", "ROBOT_ID=before", "CROODY_CA_FILE=/ca/ca.pem", *own]
    (place.folder / ".env").write_text("\n".join(before))

    for _ in range(2):
        assert place.paste(enrolment_script.script("taller-01", "secret", URL, "")).returncode == 0

    assert place.settings() == [before[0], f"CROODY_BROKER_URL={URL}", "ROBOT_ID=taller-01", *own]


def test_a_root_that_was_put_there_by_hand_stays_when_none_could_be_found(place: Board) -> None:
    (place.folder / ".env").write_text("CROODY_CA_FILE=/ca/ours.pem\n")

    assert place.paste(enrolment_script.script("taller-01", "secret", URL, "", "the root of who signed it is not known")).returncode == 0

    assert "CROODY_CA_FILE=/ca/ours.pem" in place.settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml\n"),
        (".env", "CROODY_DOMAIN=robots.example\n"),
        ("secrets/SECRET_KEY", "a secret of the server\n"),
    ],
)
@pytest.mark.parametrize(
    ("language", "said"), [("en", "this is a server's folder: use another one"), ("es", "aquí hay un servidor, usa otra carpeta")]
)
def test_in_a_servers_folder_they_touch_nothing_and_say_so(place: Board, name: str, text: str, language: str, said: str) -> None:
    (place.folder / "secrets").mkdir()
    (place.folder / name).write_text(text)
    before = place.files()

    with override(language):
        done = place.paste(enrolment_script.script("taller-01", "secret", URL, ""))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{said}\n"
    assert place.files() == before
    assert (place.folder / name).read_text() == text


def test_what_cannot_be_written_starts_nothing_and_leaves_the_shell_open(place: Board) -> None:
    (place.folder / "secrets").write_text("a file where a folder has to be\n")

    done = place.paste(enrolment_script.script("taller-01", "secret", URL, "") + "echo $? and the shell goes on\n")

    assert done.stdout == "1 and the shell goes on\n"
    assert place.files() == ["secrets"]


def test_without_an_authority_of_its_own_a_board_trusts_what_its_system_trusts() -> None:
    lines = enrolment_script.script("taller-01", "secret", URL, "")

    assert "ca.pem" not in lines
    assert "CROODY_CA_FILE=" not in lines


def test_an_address_that_no_other_machine_reaches_is_told() -> None:
    for url in ("mqtts://localhost:8883", "mqtts://[::1]:8883", "wss://localhost/mqtt"):
        assert "this machine only" in enrolment_script.script("taller-01", "secret", url, "")
    assert "this machine only" not in enrolment_script.script("taller-01", "secret", URL, "")


@pytest.mark.django_db
@pytest.mark.parametrize("url", [URL, "wss://robots.example/mqtt"])
def test_programs_read_id_and_secret_and_people_beside_it_what_the_board_needs(
    settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    settings.ENV = replace(live.ENV, robots_url=url, broker_url="mqtt://nowhere.invalid:1883")
    out, said = io.StringIO(), io.StringIO()

    call_command("robot", "add", "taller-01", stdout=out, stderr=said)

    robot_id, secret = out.getvalue().split()
    assert robot_id == "taller-01"
    assert f"echo {secret} > secrets/ROBOT_SECRET" in said.getvalue()
    assert f"CROODY_BROKER_URL={url}" in said.getvalue()
    assert "no broker at nowhere.invalid:8883" in said.getvalue()


@pytest.mark.django_db
def test_for_a_board_alone_nothing_is_made_when_nobody_said_where_the_broker_is() -> None:
    with pytest.raises(CommandError, match="CROODY_ROBOTS_URL"):
        call_command("robot", "add", "taller-01", "--board")

    assert not Robot.objects.filter(robot_id="taller-01").exists()


def test_each_board_of_a_line_comes_in_with_the_serial_that_its_maker_wrote_on_it(place: Board, tmp_path: Path) -> None:
    absent, maker = tmp_path / "absent", tmp_path / "serial-number"
    maker.write_bytes(b"RV-2026-0007\0")
    claim = "croody+https://robots.example/@line/word"
    lines = enrolment_script.claim_script("@line", claim, [str(absent), str(maker)])

    done = place.paste(lines)

    enrolled = f"docker compose run --rm -T agent croody-edge enrol --only {claim}\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, enrolled + STARTED, "")
    wanted = ["COMPOSE_FILE=docker-compose.edge.yml", "ROBOT_SECRET_PATH=/dev/null", "CROODY_SERIAL=RV-2026-0007"]
    assert place.settings() == wanted
    # What somebody wrote by hand stays, and what is no serial is not written: the agent then says that it has none.
    maker.write_text("To be filled by O.E.M.\n")
    assert place.paste(lines).returncode == 0
    assert sorted(place.settings()) == sorted(wanted)
    (place.folder / ".env").unlink()
    assert place.paste(lines).returncode == 0
    assert place.settings() == wanted[:2]
    assert "SERIAL" not in enrolment_script.claim_script("taller-01", claim)
